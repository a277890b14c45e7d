#include "kinds/generator/live.h"

#include "experiment/session.h"
#include "kinds/gce/gce.h"
#include "kinds/generator/generator.h"
#include "report/page_scripts.h"
#include "report/palette.h"
#include "report/text.h"
#include "whence/core/files.h"
#include "whence/core/random.h"

namespace whence::kinds {
namespace {

using nlohmann::json;

constexpr std::int64_t kSamples = 24, kChecks = 3;
/// Factors that the page shows without scrolling their list (.factors in web/live.css).
constexpr std::int64_t kFactorsInSight = 14;
/// Parameters from which on weights are bytes, and from which on a network is left out: a page should stay below 5 MB.
constexpr std::int64_t kManyParameters = 1'000'000, kTooMany = 10'000'000;
/// Largest difference of a pixel or a probability between the page and whence, both in float32 with the same weights.
constexpr double kTolerance = 1e-3;

std::vector<float> row_of(const at::Tensor& codes, std::int64_t row) {
  const at::Tensor here = codes[row].cpu().to(at::kFloat).contiguous();
  return {here.data_ptr<float>(), here.data_ptr<float>() + here.numel()};
}

nn::PageWeights weights_for(const nn::Network& network) {
  return network.parameter_count() > kManyParameters ? nn::PageWeights::bytes : nn::PageWeights::halves;
}

/// The networks of one page. A network that is too large or has an unknown operation is null, and the page says why.
class PageModels {
 public:
  std::optional<nn::PageNetwork> add(const nn::Network* network, const char* role) {
    if (network == nullptr) {
      remark_ += fmt::format("The {} is opaque and left out. ", role);
      return std::nullopt;
    }
    const std::int64_t size = network->parameter_count();
    if (size > kTooMany) {
      remark_ += fmt::format("The {} has {:.1f} million parameters and is left out. ", role,
                             static_cast<double>(size) / 1e6);
      return std::nullopt;
    }
    std::string obstacle;
    auto page = nn::page_network(*network, weights_for(*network), bytes_, &obstacle);
    if (!page)
      remark_ += fmt::format("The {} is left out, because a page cannot compute {}. ", role, obstacle);
    if (page && weights_for(*network) == nn::PageWeights::bytes)
      remark_ += fmt::format("The {}'s weights are rounded to 8 bits. ", role);
    return page;
  }
  std::string weights() const { return report::base64(bytes_); }
  const std::string& remark() const { return remark_; }

 private:
  std::string bytes_, remark_;
};

json layers_of(const std::optional<nn::PageNetwork>& page) { return page ? page->layers : json(nullptr); }

/// Test images and their codes; without an encoder, draws of N(0, I) and what becomes of them.
struct Shown {
  experiment::Samples samples;
  at::Tensor codes;
};
Shown shown_images(experiment::Session& session, experiment::Figures& figures, const models::Encoder* encoder,
                   const models::Decoder& decoder, const models::Classifier& classifier) {
  const char* stream = "figures/live";
  if (encoder != nullptr) {
    experiment::Samples samples = figures.samples(kSamples, stream);
    const at::Tensor codes = encoder->encode(samples.images).mean;
    return {std::move(samples), codes};
  }
  Generator generator = make_generator(session.seed(), stream);
  const at::Tensor codes =
      at::randn({kSamples, session.latents()}, generator, draws_of(generator)).to(decoder.device());
  const at::Tensor images = decoder.decode(codes).clamp(0, 1),
                   answers = classifier.logits(images).argmax(1).cpu();
  Shown shown{{images, {}}, codes};
  for (std::int64_t i = 0; i < kSamples; ++i)
    shown.samples.labels.push_back(
        session.task().class_names[static_cast<std::size_t>(answers[i].item<std::int64_t>())]);
  return shown;
}

}  // namespace

std::optional<std::string> write_live(experiment::Session& session, experiment::Figures& figures,
                                      const std::vector<std::string>& factors, std::int64_t causal) {
  const auto encoder = has_encoder(session.recipe().values) ? session.encoder(Precision::float32) : nullptr;
  const auto decoder = session.decoder(Precision::float32);
  const auto classifier = session.classifier(Precision::float32);
  PageModels models;
  const auto decodes = models.add(decoder->network(), "decoder");
  if (!decodes) return std::nullopt;
  const auto classifies = models.add(classifier->network(), "classifier"),
             encodes = encoder ? models.add(encoder->network(), "encoder") : std::nullopt;

  const at::NoGradGuard no_grad;
  const auto [samples, codes] = shown_images(session, figures, encoder.get(), *decoder, *classifier);
  const at::Tensor checked = codes.narrow(0, 0, std::min(kChecks, codes.size(0)));
  const at::Tensor images = models::as_decoder(decodes->rounded)->decode(checked);
  json page = {{"widget", "bench"},
               {"image", session.task().image},
               {"classes", session.task().class_names},
               {"decoder", layers_of(decodes)},
               {"classifier", layers_of(classifies)},
               {"encoder", layers_of(encodes)},
               {"weights", models.weights()},
               {"kernel", report::matrix_kernel()},
               {"tolerance", kTolerance},
               {"remark", models.remark()}};
  for (std::int64_t i = 0; i < std::ssize(session.task().class_names); ++i)
    page["colours"].push_back(report::hex(report::class_colour(i)));
  for (std::size_t i = 0; i < factors.size(); ++i)
    page["factors"].push_back({{"name", factors[i]}, {"causal", static_cast<std::int64_t>(i) < causal}});
  const at::Tensor pixels = (samples.images * 255).round().to(at::kByte);
  for (std::int64_t i = 0; i < codes.size(0); ++i)
    page["samples"].push_back({{"code", row_of(codes, i)},
                               {"image", report::base64(pixels[i])},
                               {"label", samples.labels[static_cast<std::size_t>(i)]}});
  for (std::int64_t i = 0; i < checked.size(0); ++i) {
    json check = {{"code", row_of(checked, i)}, {"image", report::base64(images[i])}};
    if (classifies)
      check["probabilities"] =
          row_of(models::as_classifier(classifies->rounded)->logits(images).softmax(1), i);
    page["checks"].push_back(std::move(check));
  }
  write_file(session.folder() / kLiveFile, page.dump());
  return kLiveFile;
}

std::optional<nn::PageNetwork> page_decoder(const models::Decoder& decoder) {
  const nn::Network* network = decoder.network();
  if (network == nullptr || network->parameter_count() > kTooMany) return std::nullopt;
  std::string unused;
  return nn::page_network(*network, weights_for(*network), unused);
}

std::optional<report::Section> live_section(const experiment::Run& run, bool explained) {
  const std::filesystem::path file = run.session.folder() / kLiveFile;
  if (!std::filesystem::exists(file)) return std::nullopt;
  report::Section section{kTrySection, "Try it", {}, {}, {}};
  const bool images = has_encoder(run.session.recipe().values);
  section.paragraphs.push_back(fmt::format(
      "Choose a {} and move its factors{}. The page decodes the image and asks the classifier at once.{}",
      images ? "test image" : "sample",
      run.session.latents() > kFactorsInSight
          ? fmt::format(" (there are {}; scroll their list)", run.session.latents())
          : "",
      explained ? " **Causal factors** should change the answer, the others should not." : ""));
  section.live = read_file(file);
  return section;
}

}  // namespace whence::kinds
