#include "cli/model_parts.h"

#include <iostream>

#include "cli/options.h"
#include "cli/setup.h"
#include "kinds/kinds.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/data/pictures.h"

namespace whence::cli {
namespace {

constexpr std::int64_t kProbe = 8;

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

}  // namespace

experiment::Session open_run(const ModelArguments& a) {
  std::vector<std::string> settings;
  if (!a.device.empty()) settings.push_back("run.device=" + a.device);
  experiment::Session session = experiment::open_session(kinds::kinds(), a.run, settings);
  set_up(a.threads > 0 ? a.threads : session.get<experiment::RunOptions>().threads);
  return session;
}

void refuse_texts(const experiment::Session& session, const std::string& run) {
  if (experiment::is_text(session.get<experiment::DataOptions>()))
    fail(
        "{} is about texts, but this command needs images; sweep, counterfactual, flow, ablate and trust "
        "work "
        "on texts",
        run);
}

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

experiment::Samples pictures_for_files(const ModelArguments& a, const std::string& input) {
  return read_pictures(a.pictures, input.empty() ? told_shape(a) : parse_image_shape(input));
}

data::Splits images_of(const ModelArguments& a) {
  data::Splits splits = experiment::load_data(parse_data(a.data, a.classes));
  if (!splits.note.empty()) std::cerr << "whence: note: " << splits.note << std::endl;
  return splits;
}

data::Dataset test_images(const ModelArguments& a) { return images_of(a).test; }

data::Dataset optional_training_images(experiment::Session& session) {
  try {
    return session.data().train;
  } catch (const Error& error) {
    std::cerr << "whence: warning: images that the generator draws stand for training images: "
              << error.what() << "\n";
    return {};
  }
}

at::Tensor probe_of(const ModelSet& set) {
  if (set.pictures) return set.pictures->images;
  return data::to_float(set.test, at::arange(std::min(kProbe, set.test.size()), at::kLong));
}

at::Tensor drawn_probe(const models::Decoder& decoder, std::uint64_t seed) {
  const at::NoGradGuard no_grad;
  Generator generator = make_generator(seed, "cli/probe");
  return decoder.decode(at::randn({kProbe, decoder.latents()}, generator, at::kFloat));
}

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

}  // namespace whence::cli
