#include "experiment/session.h"

#include <chrono>

#include "experiment/machine_record.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/core/random.h"
#include "whence/data/text/tokenizer_file.h"
#include "whence/data/text/trees.h"
#include "whence/interchange/safetensors.h"
#include "whence/platform/device.h"

namespace fs = std::filesystem;

namespace whence::experiment {
namespace {

constexpr std::int64_t kProbe = 8;

/// As the stage that read the data told it.
std::optional<Task> recorded_task(const RunFolder& folder) {
  if (!fs::exists(folder / "metrics.json")) return std::nullopt;
  const nlohmann::json metrics = read_json(folder / "metrics.json");
  if (!metrics.contains("data") || !metrics["data"].contains("image")) return std::nullopt;
  return Task{metrics["data"].at("image").get<nn::Shape>(),
              metrics["data"].at("classes").get<std::vector<std::string>>()};
}

}  // namespace

data::Splits load_data(const DataOptions& options) {
  const auto own = [&](data::Layout layout) {
    return data::load_own(options.path, layout, options.class_names, options.classes, options.form);
  };
  if (options.set == "idx") return own(data::Layout::idx);
  if (options.set == "pictures") return own(data::Layout::pictures);
  std::optional<fs::path> path;
  if (!options.path.empty()) path = options.path;
  return data::load(data::known_set(options.set), options.classes, path, options.form);
}

std::int64_t Session::latents() const {
  std::int64_t count = get<GeneratorOptions>().latents;
  for (const Kind& kind : *recipe_.kinds)
    if (count == 0 && kind.latents != nullptr && kind.asked(recipe_.values))
      count = kind.latents(recipe_.values);
  return count;
}

const data::Splits& Session::data() {
  if (!data_) {
    const auto start = std::chrono::steady_clock::now();
    if (is_text(get<DataOptions>()))
      fail("{} is about texts, but this needs images", folder().path().string());
    data_ = load_data(get<DataOptions>());
    load_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return *data_;
}

const data::TextSplits& Session::texts() {
  if (!texts_) {
    const auto start = std::chrono::steady_clock::now();
    const DataOptions& options = get<DataOptions>();
    const auto grades = options.grades ? data::SstClasses::graded : data::SstClasses::binary;
    const bool treebank = options.word_pieces.empty();  // cuts its words itself
    texts_ = options.set == "sst"
                 ? data::load_sst(options.path, grades, treebank ? std::nullopt : std::optional(tokenizer()))
                 : data::load_texts(options.path, options.columns, tokenizer());
    load_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return *texts_;
}

data::Tokenizer Session::tokenizer() const {
  const std::string& pieces = get<DataOptions>().word_pieces;
  return pieces.empty() ? data::word_tokenizer() : data::read_tokenizer(pieces).tokenizer;
}

const data::Dataset& Session::validation_images() {
  return data().has_validation() ? data().validation : data().test;
}

const Task& Session::task() {
  if (!task_) task_ = Task{data().train.images.sizes().slice(1).vec(), data().train.class_names};
  return *task_;
}

nn::Network Session::placed(nn::Network network) const {
  network.to(device());
  return network;
}

nn::Network Session::classifier_network() {
  models::ClassifierRequest request = get<ClassifierOptions>().network;
  request.image = task().image;
  request.classes = static_cast<std::int64_t>(task().class_names.size());
  return placed(models::classifier_architectures()[get<ClassifierOptions>().architecture].make(request));
}

models::AutoencoderShape Session::generator_shape() {
  models::AutoencoderShape shape = get<GeneratorOptions>().network;
  shape.image = task().image;
  shape.latents = latents();
  return shape;
}

nn::Network Session::encoder_network() {
  return placed(
      models::autoencoder_architectures()[get<GeneratorOptions>().architecture].encoder(generator_shape()));
}
nn::Network Session::decoder_network() {
  return placed(
      models::autoencoder_architectures()[get<GeneratorOptions>().architecture].decoder(generator_shape()));
}

void Session::check_networks() {
  if (is_text(get<DataOptions>())) return;
  const std::string& file = get<ClassifierOptions>().file;
  if (file.empty()) {
    classifier_network();
  } else if (!fs::exists(file)) {
    fail("classifier.file is {}, which does not exist; a path in a recipe is relative to the recipe's folder",
         file);
  } else {
    classifier(Precision::float32);
  }
  if (latents() == 0) return;
  if (const std::string& generator = get<GeneratorOptions>().file; !generator.empty()) {
    if (!fs::exists(generator))
      fail(
          "generator.file is {}, which does not exist; a path in a recipe is relative to the recipe's folder",
          generator);
    decoder(Precision::float32);
    return;
  }
  encoder_network();
  decoder_network();
}

void Session::save(const nn::Network& network, const std::string& name) const {
  nn::save_safetensors(folder_ / (name + ".safetensors"), network.state(), {{"network", network.name()}});
}

nn::Network Session::trained(nn::Network network, std::string_view file) {
  const fs::path path = folder_ / file;
  if (!fs::exists(path)) {
    fail("{} has no {} yet; `whence train {}` makes it", folder_.path().string(), file,
         folder_.path().string());
  }
  nn::load_network(path, network);
  return network;
}

at::Tensor Session::probe() {
  if (data_ || !task_) {
    const data::Dataset& train = data().train;
    return data::to_float(train, at::arange(std::min(kProbe, train.size()), at::kLong));
  }
  std::vector<std::int64_t> sizes = task_->image;
  sizes.insert(sizes.begin(), kProbe);
  Generator generator = make_generator(seed(), "session/probe");
  return at::rand(sizes, generator);
}

std::unique_ptr<models::Classifier> Session::classifier(Precision with) {
  const ClassifierOptions& options = get<ClassifierOptions>();
  if (options.file.empty())
    return models::as_classifier(trained(classifier_network(), "classifier.safetensors"), with);
  const std::int64_t classes = std::ssize(task().class_names);
  models::ClassifierReading reading = options.output;
  reading.entry = options.entry;
  auto classifier = models::load_classifier(options.file, probe().to(device()), reading, with);
  if (classifier->classes() != classes)
    fail(
        "{} has {} classes, but data.classes selects {}; list the classes of its columns, in their order (to "
        "explain only some classes, export it with these columns)",
        options.file, classifier->classes(), classes);
  return classifier;
}

std::unique_ptr<models::Encoder> Session::encoder(Precision with) {
  if (!get<GeneratorOptions>().file.empty() && !fs::exists(folder_ / "encoder.safetensors"))
    fail_usage(
        "generator.file is a decoder alone, but an encoder is needed here; train one for it "
        "(generator.encoder_steps), or leave out what encodes images");
  return models::as_encoder(trained(encoder_network(), "encoder.safetensors"), with);
}

std::unique_ptr<models::Decoder> Session::decoder(Precision with) {
  if (const std::string& file = get<GeneratorOptions>().file; !file.empty()) {
    auto decoder = models::load_decoder(file, latents(), with, device());
    Generator generator = make_generator(seed(), "session/generator");
    const at::NoGradGuard no_grad;
    const at::Tensor image =
        decoder->decode(at::randn({1, latents()}, generator, draws_of(generator)).to(device()));
    if (image.sizes().slice(1) != at::IntArrayRef(task().image))
      fail("{} makes images of {}, but those of the data are {}", file,
           fmt::join(image.sizes().slice(1), "x"), fmt::join(task().image, "x"));
    return decoder;
  }
  return models::as_decoder(trained(decoder_network(), "decoder.safetensors"), with);
}

Models Session::judged() {
  const Precision with = judging_precision();
  return {classifier(with), encoder(with), decoder(with)};
}

Precision Session::judging_precision() const {
  return get<JudgingOptions>().precision == JudgingPrecision::run ? precision : Precision::float32;
}

Session open_session(const Kinds& kinds, const fs::path& folder, const std::vector<std::string>& settings) {
  const RunFolder run(folder);
  check_format(run);
  Session session(load_recipe(kinds, run.recipe(), settings), run, recorded_task(run));
  session.precision = recorded_precision(run).value_or(Precision::float32);
  return session;
}

Target find_target(const Kinds& kinds, const fs::path& path, const std::vector<std::string>& settings,
                   const fs::path& out) {
  if (!fs::exists(path))
    fail("{} does not exist; give a recipe (a TOML file) or the folder of an earlier run", path.string());
  if (!fs::is_directory(path))
    return {load_recipe(kinds, path, settings), out.empty() ? default_folder(path) : out};
  check_format(RunFolder(path));
  return {load_recipe(kinds, RunFolder(path).recipe(), settings), out.empty() ? path : out};
}

}  // namespace whence::experiment
