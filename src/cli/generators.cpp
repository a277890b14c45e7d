// Commands on a generator, with or without a classifier, and on an autoencoder with one.
#include <iostream>

#include "cli/model_parts.h"
#include "cli/options.h"
#include "cli/setup.h"
#include "kinds/gce/gce.h"
#include "kinds/generator/generator.h"
#include "kinds/independent/independent.h"
#include "kinds/kinds.h"
#include "kinds/morphing/known.h"
#include "kinds/translation/translation.h"
#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::cli {
namespace {

/// Images of the generator that stand for images of the data where there are none.
constexpr std::int64_t kDrawn = 2000;

/// Test images of a run whose generator needs none; without them a warning.
data::Dataset optional_test_images(experiment::Session& session) {
  try {
    return session.data().test;
  } catch (const Error& error) {
    std::cerr << "whence: warning: distances to real images are left out: " << error.what() << "\n";
    return {};
  }
}

ModelSet load_run_generator(const ModelArguments& a, bool real) {
  experiment::Session session = open_run(a);
  refuse_texts(session, a.run);
  if (session.latents() == 0)
    fail("{} is a run without a generator; give one whose recipe trains one", a.run);
  ModelSet set;
  set.classifier = session.classifier(Precision::float32);
  set.decoder = session.decoder(Precision::float32);
  if (kinds::has_encoder(session.recipe().values)) {
    set.encoder = session.encoder(Precision::float32);
    set.test = session.data().test;
  } else if (real) {
    set.test = optional_test_images(session);
  }
  set.class_names = session.task().class_names;
  set.seed = session.seed();
  return set;
}

ModelSet load_file_generator(const ModelArguments& a) {
  if (a.decoder.empty() || a.latents < 1) fail_usage("give a run folder, or --decoder and --latents");
  if (a.encoder.empty() != a.data.empty())
    fail_usage("--encoder and --data belong together: the encoder turns images of the data into originals");
  set_up(a.threads);
  ModelSet set;
  set.seed = static_cast<std::uint64_t>(a.seed);
  set.decoder = models::load_decoder(a.decoder, a.latents);
  if (!a.data.empty()) {
    set.test = test_images(a);
    set.class_names = set.test.class_names;
    set.encoder = models::load_encoder(a.encoder, probe_of(set));
  }
  if (a.classifier.empty()) return set;
  set.classifier = models::load_classifier(a.classifier, drawn_probe(*set.decoder, set.seed), reading_of(a));
  name_classes(set, a.label);
  return set;
}

ModelSet autoencoder_of_run(const ModelArguments& a) {
  experiment::Session session = open_run(a);
  refuse_texts(session, a.run);
  if (!kinds::has_encoder(session.recipe().values))
    fail(
        "{} has no encoder, but a morph starts from the code of an image; train one for its generator "
        "(generator.encoder_steps), or give a run with an explanation or an autoencoder, or model files with "
        "--encoder and --decoder",
        a.run);
  const Precision precision = session.judging_precision();
  ModelSet set;
  set.classifier = session.classifier(precision);
  set.encoder = session.encoder(precision);
  set.decoder = session.decoder(precision);
  set.independent = kinds::independent_classifier(session);
  set.translator = kinds::translator_of(session);
  set.causal = kinds::causal(session);
  set.class_names = session.task().class_names;
  set.seed = session.seed();
  if (a.pictures.empty()) {
    set.train = session.data().train;
    set.test = session.data().test;
    return set;
  }
  set.pictures = read_pictures(a.pictures, session.task().image);
  set.train = optional_training_images(session);
  return set;
}

}  // namespace

ModelSet load_generator(const ModelArguments& a, bool real) {
  const bool files = !(a.classifier.empty() && a.encoder.empty() && a.decoder.empty());
  if (!a.run.empty() && files) fail_usage("give either a run folder or model files, not both");
  refuse_beside_run(a);
  return a.run.empty() ? load_file_generator(a) : load_run_generator(a, real);
}

ModelSet load_autoencoder(const ModelArguments& a, const std::string& input) {
  check_choice(a);
  if (!a.run.empty()) return autoencoder_of_run(a);
  if (a.classifier.empty() || a.encoder.empty() || a.decoder.empty() ||
      (a.data.empty() && a.pictures.empty()))
    fail_usage("give a run folder, or all of --classifier, --encoder, --decoder, and --data or --picture");
  set_up(a.threads);
  ModelSet set;
  set.seed = static_cast<std::uint64_t>(a.seed);
  if (a.pictures.empty()) {
    const data::Splits splits = experiment::load_data(parse_data(a.data, a.classes));
    set.train = splits.train;
    set.test = splits.test;
    set.class_names = set.test.class_names;
  } else {
    set.pictures = pictures_for_files(a, input);
  }
  const at::Tensor probe = probe_of(set);
  const at::NoGradGuard no_grad;
  set.classifier = models::load_classifier(a.classifier, probe, reading_of(a));
  set.encoder = models::load_encoder(a.encoder, probe);
  set.decoder = models::load_decoder(a.decoder, set.encoder->latents());
  if (!a.independent.empty()) set.independent = models::load_classifier(a.independent, probe);
  if (set.independent && set.independent->classes() != set.classifier->classes())
    fail_usage("the independent classifier has {} classes and the explained one {}; they must have the same",
               set.independent->classes(), set.classifier->classes());
  name_classes(set, a.label);
  return set;
}

counterfactual::KnownCodes known_codes_of(const ModelSet& models, std::int64_t count) {
  const data::Dataset& images = models.train.images.defined() ? models.train : models.test;
  if (!images.images.defined()) {
    Generator generator = make_generator(models.seed, "morphing/known");
    return counterfactual::known_codes_of_draws(*models.encoder, *models.decoder, *models.classifier, kDrawn,
                                                generator);
  }
  return kinds::known_codes(*models.classifier, *models.encoder, *models.decoder, images, count, models.seed,
                            show_progress());
}

std::int64_t causal_factors_of(const std::string& run) {
  experiment::Session session = experiment::open_session(kinds::kinds(), run);
  return kinds::explains(session.recipe().values) ? kinds::causal(session) : 0;
}

}  // namespace whence::cli
