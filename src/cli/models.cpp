#include "cli/models.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "cli/model_parts.h"
#include "cli/setup.h"
#include "kinds/gce/gce.h"
#include "kinds/generator/generator.h"
#include "kinds/text/text.h"
#include "kinds/translation/translation.h"
#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/core/random.h"
#include "whence/explain/flow/information_flow.h"

namespace whence::cli {
namespace {

ModelSet load_run_of_texts(experiment::Session& session) {
  kinds::TextModels models = kinds::text_models(session);
  ModelSet set;
  set.decoder = text::as_decoder(models.vae, models.translation, models.longest);
  set.causal = models.vae.shape().causal;
  set.classifier = std::move(models.classifier);
  set.class_names = session.texts().train.class_names;
  set.seed = session.seed();
  return set;
}

ModelSet load_run(const ModelArguments& arguments, bool images) {
  experiment::Session session = open_run(arguments);
  if (experiment::is_text(session.get<experiment::DataOptions>())) {
    if (images) fail("{} is about texts, but this needs images", arguments.run);
    return load_run_of_texts(session);
  }
  if (!kinds::explains(session.recipe().values))
    fail("{} is the run of a generator alone, which has no causal factors; give a run with an explanation",
         arguments.run);
  const Precision precision = session.judging_precision();
  ModelSet set;
  set.classifier = session.classifier(precision);
  set.decoder = session.decoder(precision);
  if (images) set.encoder = session.encoder(precision);
  if (!arguments.pictures.empty())
    set.pictures = read_pictures(arguments.pictures, session.task().image);
  else if (images)
    set.test = session.data().test;
  set.class_names = session.task().class_names;
  set.causal = kinds::causal(session);
  set.seed = session.seed();
  return set;
}

ModelSet load_files(const ModelArguments& arguments, bool images) {
  set_up(arguments.threads);
  ModelSet set;
  set.causal = arguments.causal;
  set.seed = static_cast<std::uint64_t>(arguments.seed);
  set.decoder = models::load_decoder(arguments.decoder, arguments.latents);
  const at::NoGradGuard no_grad;
  at::Tensor probe;
  if (!arguments.pictures.empty()) {
    const at::Tensor generated = set.decoder->decode(at::zeros({1, arguments.latents}));
    set.pictures = read_pictures(arguments.pictures, generated.sizes().slice(1));
    probe = probe_of(set);
    set.encoder = models::load_encoder(arguments.encoder, probe);
  } else if (images) {
    set.test = test_images(arguments);
    set.class_names = set.test.class_names;
    probe = probe_of(set);
    set.encoder = models::load_encoder(arguments.encoder, probe);
  } else {
    probe = drawn_probe(*set.decoder, set.seed);
  }
  set.classifier = models::load_classifier(arguments.classifier, probe, reading_of(arguments));
  name_classes(set, arguments.label);
  return set;
}

ModelSet load_run_classifier(const ModelArguments& a, bool training) {
  experiment::Session session = open_run(a);
  ModelSet set;
  set.classifier = session.classifier(Precision::float32);
  set.class_names = session.task().class_names;
  set.seed = session.seed();
  if (kinds::has_encoder(session.recipe().values)) {
    set.encoder = session.encoder(Precision::float32);
    set.decoder = session.decoder(Precision::float32);
  }
  if (const auto translator = kinds::shared_translator(session, Precision::float32))
    set.translator = *translator;
  if (a.pictures.empty()) {
    set.test = session.data().test;
    if (training) set.train = session.data().train;
    return set;
  }
  set.pictures = read_pictures(a.pictures, session.task().image);
  if (training && set.encoder) set.train = optional_training_images(session);
  return set;
}

}  // namespace

ModelSet load_models(const ModelArguments& arguments, bool images) {
  check_arguments(arguments, images);
  if (!arguments.texts.empty())
    fail_usage("--text is for a run about texts; {} is none",
               arguments.run.empty() ? std::string("a set of model files") : arguments.run);
  ModelSet set = arguments.run.empty() ? load_files(arguments, images) : load_run(arguments, images);
  set.factors = flow::factor_names(set.causal, set.decoder->latents());
  return set;
}

ModelSet load_classifier(const ModelArguments& a, const std::string& input, bool training) {
  if (!a.pictures.empty() && !a.data.empty()) fail_usage("give either --data or --picture, not both");
  if (a.run.empty() == a.classifier.empty()) fail_usage("give either a run folder or --classifier");
  if (!a.run.empty() && !(a.encoder.empty() && a.decoder.empty()))
    fail_usage("give either a run folder or model files, not both");
  if (a.encoder.empty() != a.decoder.empty()) fail_usage("give both of --encoder and --decoder, or neither");
  refuse_beside_run(a);
  if (!a.run.empty()) return load_run_classifier(a, training);
  ModelSet set;
  set_up(a.threads);
  set.seed = static_cast<std::uint64_t>(a.seed);
  if (a.data.empty() == a.pictures.empty()) fail_usage("give either --data or --picture");
  if (a.pictures.empty()) {
    data::Splits splits = images_of(a);
    set.test = std::move(splits.test);
    if (training) set.train = std::move(splits.train);
    set.class_names = set.test.class_names;
  } else {
    set.pictures = pictures_for_files(a, input);
  }
  const at::Tensor probe = probe_of(set);
  set.classifier = models::load_classifier(a.classifier, probe, reading_of(a));
  if (!a.encoder.empty()) {
    const at::NoGradGuard no_grad;
    set.encoder = models::load_encoder(a.encoder, probe);
    set.decoder = models::load_decoder(a.decoder, set.encoder->latents());
  }
  name_classes(set, a.label);
  return set;
}

at::Tensor chosen_rows(const ModelSet& models, const std::vector<std::int64_t>& named, std::int64_t count,
                       const std::string& purpose) {
  const std::int64_t size = models.test.size();
  for (const std::int64_t row : named) {
    if (row < 0 || row >= size)
      fail_usage("there is no test image {}; the selected classes have {}, numbered from 0", row, size);
  }
  if (!named.empty()) return at::tensor(named, at::kLong);
  Generator generator = make_generator(models.seed, purpose);
  return data::sample_rows(models.test, count, generator);
}

std::int64_t class_index(const std::string& name, const std::vector<std::string>& class_names) {
  const auto found = std::find(class_names.begin(), class_names.end(), name);
  if (found == class_names.end()) {
    const std::vector<std::string_view> names(class_names.begin(), class_names.end());
    fail_usage("there is no class '{}'{}; they are {}", name, did_you_mean(name, names),
               fmt::join(class_names, ", "));
  }
  return found - class_names.begin();
}

}  // namespace whence::cli
