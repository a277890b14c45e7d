#include "cli/models.h"
#include "cli/options.h"

#include <fmt/ranges.h>

#include <iostream>

#include "cli/setup.h"
#include "experiment/session.h"
#include "kinds/gce/gce.h"
#include "kinds/generator/generator.h"
#include "kinds/independent/independent.h"
#include "kinds/kinds.h"
#include "kinds/morphing/morphing.h"
#include "kinds/text/text.h"
#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/core/random.h"
#include "whence/data/pictures.h"
#include "whence/explain/flow/information_flow.h"

namespace whence::cli {
namespace {

constexpr std::int64_t kProbe = 8;
/// Images of the generator that stand for images of the data where there are none.
constexpr std::int64_t kDrawn = 2000;

models::ClassifierOutput parse_output(const std::string& name) {
  if (name == "logits") return models::ClassifierOutput::logits;
  return name == "probabilities" ? models::ClassifierOutput::probabilities
                                 : models::ClassifierOutput::automatic;
}

models::ClassifierReading reading_of(const ModelArguments& a) {
  models::ClassifierReading reading = parse_output(a.output);
  reading.entry = a.entry;
  if (a.label >= 0) reading.label = a.label;
  return reading;
}

/// A run folder has its own.
void refuse_beside_run(const ModelArguments& a) {
  if (a.run.empty()) return;
  const std::pair<bool, const char*> given[] = {{!a.data.empty(), "--data"},
                                                {!a.classes.empty(), "--classes"},
                                                {!a.independent.empty(), "--independent"},
                                                {!a.entry.empty(), "--output"},
                                                {a.label >= 0, "--label"},
                                                {a.latents != 0, "--latents"},
                                                {a.causal != 0, "--causal"}};
  for (const auto& [is_given, option] : given)
    if (is_given) fail_usage("{} is for model files; a run folder has its own", option);
}

void check_choice(const ModelArguments& a) {
  if (!a.pictures.empty() && !a.data.empty()) fail_usage("give either --data or --picture, not both");
  const bool files = !(a.classifier.empty() && a.encoder.empty() && a.decoder.empty());
  if (!a.run.empty() && files) fail_usage("give either a run folder or model files, not both");
  refuse_beside_run(a);
}

void check_arguments(const ModelArguments& a, bool images) {
  check_choice(a);
  if (!a.run.empty()) return;
  const std::string needed = images ? "--classifier, --encoder, --decoder, --data, --latents and --causal"
                                    : "--classifier, --decoder, --latents and --causal";
  const bool complete = !a.classifier.empty() && !a.decoder.empty() && a.latents > 0 && a.causal > 0 &&
                        (!images || (!a.encoder.empty() && !(a.data.empty() && a.pictures.empty())));
  if (!complete) fail_usage("give a run folder, or all of {}", needed);
  if (a.causal > a.latents)
    fail_usage("--causal is {}, but the decoder has only {} latents", a.causal, a.latents);
}

/// In the form of `image`, (C, H, W).
experiment::Samples read_pictures(const std::vector<std::string>& files, at::IntArrayRef image) {
  const data::ImageForm form{image.slice(1).vec(), image[0] == 1 ? data::Colours::grey : data::Colours::rgb};
  experiment::Samples samples;
  std::vector<at::Tensor> images;
  data::BadPictures bad;
  for (const std::string& name : files) {
    const std::filesystem::path file = name;
    const at::Tensor pixels = bad.read(file);
    if (pixels.defined()) images.push_back(data::to_form(pixels.unsqueeze(0), form));
    samples.labels.push_back(file.filename().string());
  }
  bad.check();
  const at::Tensor bytes = at::cat(images);
  samples.images = data::to_float({bytes, at::zeros({bytes.size(0)}, at::kLong), {}});
  return samples;
}

/// Of --data and --classes. A note on what serves as test goes to stderr.
data::Dataset test_images(const ModelArguments& a) {
  const data::Splits splits = experiment::load_data(parse_data(a.data, a.classes));
  if (!splits.note.empty()) std::cerr << "whence: note: " << splits.note << std::endl;
  return splits.test;
}

/// "3x32x32"
std::vector<std::int64_t> parse_image_shape(const std::string& text) {
  std::vector<std::int64_t> shape = parse_shape(text);
  if (shape.size() != 3 || (shape[0] != 1 && shape[0] != 3))
    fail_usage("--input is '{}', but must be an image's shape such as 1x28x28 or 3x32x32", text);
  return shape;
}

/// (C, H, W) of the images that a classifier's file takes. Error (usage): it does not tell.
std::vector<std::int64_t> told_shape(const ModelArguments& a) {
  std::string obstacle;
  nn::ScriptModule module(a.classifier);
  module.choose_output(a.entry);
  const std::optional<nn::Shape> shape = module.input_shape(&obstacle);
  if (!shape || shape->size() != 3)
    fail_usage("{} does not tell the shape of its images ({}); give it as --input, such as 3x32x32",
               a.classifier, obstacle.empty() ? "they have no height and width" : obstacle);
  return *shape;
}

ModelSet load_run_of_texts(experiment::Session& session, const ModelArguments& arguments) {
  set_up(arguments.threads > 0 ? arguments.threads : session.get<experiment::RunOptions>().threads);
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
  experiment::Session session = experiment::open_session(kinds::kinds(), arguments.run);
  if (experiment::is_text(session.get<experiment::DataOptions>())) {
    if (images) fail("{} is about texts, but this needs images", arguments.run);
    return load_run_of_texts(session, arguments);
  }
  if (!kinds::explains(session.recipe().values))
    fail("{} is the run of an autoencoder, which has no causal factors; give a run with an explanation",
         arguments.run);
  set_up(arguments.threads > 0 ? arguments.threads : session.recipe().get<experiment::RunOptions>().threads);
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

/// Numbers for classes that no data name. Error (usage): data that name others than the classifier's.
void name_classes(ModelSet& set, std::int64_t chosen) {
  if (chosen >= 0) {  // against its absence
    const bool named = chosen < std::ssize(set.class_names);
    const std::string name =
        named ? set.class_names[static_cast<std::size_t>(chosen)] : std::to_string(chosen);
    set.class_names = {"not " + name, name};
    return;
  }
  if (!set.class_names.empty() && std::ssize(set.class_names) != set.classifier->classes())
    fail_usage(
        "the classifier has {} classes, but --data and --classes name {}; give --classes the classes of its "
        "columns, in their order",
        set.classifier->classes(), set.class_names.size());
  for (std::int64_t label = std::ssize(set.class_names); label < set.classifier->classes(); ++label)
    set.class_names.push_back(std::to_string(label));
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
    probe = set.pictures->images;
    set.encoder = models::load_encoder(arguments.encoder, probe);
  } else if (images) {
    set.test = test_images(arguments);
    set.class_names = set.test.class_names;
    probe = data::to_float(set.test, at::arange(std::min(kProbe, set.test.size()), at::kLong));
    set.encoder = models::load_encoder(arguments.encoder, probe);
  } else {
    Generator generator = make_generator(set.seed, "cli/probe");
    probe = set.decoder->decode(at::randn({kProbe, arguments.latents}, generator, at::kFloat));
  }
  set.classifier = models::load_classifier(arguments.classifier, probe, reading_of(arguments));
  name_classes(set, arguments.label);
  return set;
}

ModelSet load_run_generator(const ModelArguments& a) {
  experiment::Session session = experiment::open_session(kinds::kinds(), a.run);
  if (session.latents() == 0)
    fail("{} is a run without a generator; give one whose recipe trains one", a.run);
  set_up(a.threads > 0 ? a.threads : session.recipe().get<experiment::RunOptions>().threads);
  ModelSet set;
  set.classifier = session.classifier(Precision::float32);
  set.decoder = session.decoder(Precision::float32);
  const config::Values& values = session.recipe().values;
  if (kinds::explains(values) || kinds::has_encoder(values)) {
    set.encoder = session.encoder(Precision::float32);
    set.test = session.data().test;
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
    set.test = experiment::load_data(parse_data(a.data, a.classes)).test;
    set.class_names = set.test.class_names;
    set.encoder = models::load_encoder(
        a.encoder, data::to_float(set.test, at::arange(std::min(kProbe, set.test.size()), at::kLong)));
  }
  if (a.classifier.empty()) return set;
  const at::NoGradGuard no_grad;
  Generator generator = make_generator(set.seed, "cli/probe");
  const at::Tensor probe = set.decoder->decode(at::randn({kProbe, a.latents}, generator, at::kFloat));
  set.classifier = models::load_classifier(a.classifier, probe, reading_of(a));
  name_classes(set, a.label);
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

namespace {

ModelSet autoencoder_of_run(const ModelArguments& a) {
  experiment::Session session = experiment::open_session(kinds::kinds(), a.run);
  if (session.latents() == 0)
    fail(
        "{} has no generator; give a run whose recipe trains one, or model files with --encoder and "
        "--decoder",
        a.run);
  set_up(a.threads > 0 ? a.threads : session.recipe().get<experiment::RunOptions>().threads);
  const Precision precision = session.judging_precision();
  ModelSet set;
  set.classifier = session.classifier(precision);
  set.encoder = session.encoder(precision);
  set.decoder = session.decoder(precision);
  set.independent = kinds::independent_classifier(session);
  set.causal = kinds::causal(session);
  set.class_names = session.task().class_names;
  set.seed = session.seed();
  if (a.pictures.empty()) {
    set.train = session.data().train;
    set.test = session.data().test;
    return set;
  }
  set.pictures = read_pictures(a.pictures, session.task().image);
  try {
    set.train = session.data().train;
  } catch (const Error& error) {
    std::cerr << "whence: warning: images that the generator draws stand for training images: "
              << error.what() << "\n";
  }
  return set;
}

}  // namespace

ModelSet load_autoencoder(const ModelArguments& a, const std::string& input) {
  check_choice(a);
  if (!a.run.empty()) return autoencoder_of_run(a);
  if (a.classifier.empty() || a.encoder.empty() || a.decoder.empty() ||
      (a.data.empty() && a.pictures.empty()))
    fail_usage("give a run folder, or all of --classifier, --encoder, --decoder, and --data or --picture");
  set_up(a.threads);
  ModelSet set;
  set.seed = static_cast<std::uint64_t>(a.seed);
  at::Tensor probe;
  if (a.pictures.empty()) {
    const data::Splits splits = experiment::load_data(parse_data(a.data, a.classes));
    set.train = splits.train;
    set.test = splits.test;
    set.class_names = set.test.class_names;
    probe = data::to_float(set.test, at::arange(std::min(kProbe, set.test.size()), at::kLong));
  } else {
    set.pictures = read_pictures(a.pictures, input.empty() ? told_shape(a) : parse_image_shape(input));
    probe = set.pictures->images;
  }
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

ModelSet load_classifier(const ModelArguments& a, const std::string& input) {
  if (!a.pictures.empty() && !a.data.empty()) fail_usage("give either --data or --picture, not both");
  if (a.run.empty() == a.classifier.empty()) fail_usage("give either a run folder or --classifier");
  if (!a.run.empty() && !(a.encoder.empty() && a.decoder.empty()))
    fail_usage("give either a run folder or model files, not both");
  if (a.encoder.empty() != a.decoder.empty()) fail_usage("give both of --encoder and --decoder, or neither");
  refuse_beside_run(a);
  ModelSet set;
  if (!a.run.empty()) {
    experiment::Session session = experiment::open_session(kinds::kinds(), a.run);
    set_up(a.threads > 0 ? a.threads : session.recipe().get<experiment::RunOptions>().threads);
    set.classifier = session.classifier(Precision::float32);
    set.class_names = session.task().class_names;
    set.seed = session.seed();
    if (session.latents() > 0) {
      set.encoder = session.encoder(Precision::float32);
      set.decoder = session.decoder(Precision::float32);
    }
    if (a.pictures.empty())
      set.test = session.data().test;
    else
      set.pictures = read_pictures(a.pictures, session.task().image);
    return set;
  }
  set_up(a.threads);
  set.seed = static_cast<std::uint64_t>(a.seed);
  if (a.data.empty() == a.pictures.empty()) fail_usage("give either --data or --picture");
  if (a.pictures.empty()) {
    set.test = test_images(a);
    set.class_names = set.test.class_names;
  } else {
    set.pictures = read_pictures(a.pictures, input.empty() ? told_shape(a) : parse_image_shape(input));
  }
  const at::Tensor probe =
      set.pictures ? set.pictures->images
                   : data::to_float(set.test, at::arange(std::min(kProbe, set.test.size()), at::kLong));
  set.classifier = models::load_classifier(a.classifier, probe, reading_of(a));
  if (!a.encoder.empty()) {
    const at::NoGradGuard no_grad;
    set.encoder = models::load_encoder(a.encoder, probe);
    set.decoder = models::load_decoder(a.decoder, set.encoder->latents());
  }
  name_classes(set, a.label);
  return set;
}

ModelSet load_generator(const ModelArguments& a) {
  const bool files = !(a.classifier.empty() && a.encoder.empty() && a.decoder.empty());
  if (!a.run.empty() && files) fail_usage("give either a run folder or model files, not both");
  refuse_beside_run(a);
  return a.run.empty() ? load_file_generator(a) : load_run_generator(a);
}

counterfactual::KnownCodes known_codes_of(const ModelSet& models, std::int64_t count) {
  const data::Dataset& images = models.train.images.defined() ? models.train : models.test;
  if (!images.images.defined()) {
    Generator generator = make_generator(models.seed, "morphing/known");
    return counterfactual::known_codes_of_draws(*models.encoder, *models.decoder, *models.classifier, kDrawn,
                                                generator);
  }
  return known_codes_of(*models.classifier, *models.encoder, *models.decoder, images, models.seed, count,
                        show_progress());
}

counterfactual::KnownCodes known_codes_of(const models::Classifier& classifier,
                                          const models::Encoder& encoder, const models::Decoder& decoder,
                                          const data::Dataset& images, std::uint64_t seed, std::int64_t count,
                                          const ProgressCallback& progress) {
  Generator generator = make_generator(seed, "morphing/known");
  const data::Dataset known = data::pick(images, data::sample_rows(images, count, generator));
  return counterfactual::known_codes(encoder, decoder, classifier, data::to_float(known), known.labels,
                                     progress);
}

std::int64_t causal_factors_of(const std::string& run) {
  experiment::Session session = experiment::open_session(kinds::kinds(), run);
  return kinds::explains(session.recipe().values) ? kinds::causal(session) : 0;
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
