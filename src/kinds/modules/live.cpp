#include "kinds/modules/live.h"

#include "experiment/folder.h"
#include "kinds/generator/live.h"
#include "report/text.h"
#include "whence/core/files.h"

namespace whence::kinds {
namespace {

using nlohmann::json;

constexpr const char* kSwapsFile = "modules-live.json";

at::Tensor code_of(const json& samples, std::size_t sample) {
  const auto values = samples.at(sample).at("code").get<std::vector<float>>();
  return at::tensor(at::ArrayRef<float>(values)).unsqueeze(0);
}

/// A template (H, W), or the mean of its colours, as bytes, the largest value as 255.
std::string template_bytes(const at::Tensor& values) {
  const at::Tensor one = values.dim() == 2 ? values : values.mean(0);
  const at::Tensor positive = one.to(at::kCPU, at::kFloat).clamp_min(0);
  return report::base64((positive / positive.max().clamp_min(1e-20)).mul(255).round().to(at::kByte));
}

/// The first sample with the largest module of the last one, by the weights that the page has.
json check_of(const modularity::Cut& cut, const modularity::Modules& modules, const json& samples) {
  const std::size_t last = samples.size() - 1;
  const at::Tensor image =
      modularity::hybrids(cut, code_of(samples, 0), {{code_of(samples, last), modules.channels_of(0), 1}});
  return {{"first", 0}, {"second", last}, {"module", 0}, {"image", report::base64(image.to(at::kFloat))}};
}

}  // namespace

std::optional<std::string> write_swaps(const experiment::RunFolder& folder, const models::Decoder& decoder,
                                       const std::string& layer, const modularity::Modules& modules) {
  if (!std::filesystem::exists(folder / kLiveFile)) return std::nullopt;
  const auto page = page_decoder(decoder);
  if (!page) return std::nullopt;
  const json samples = json::parse(read_file(folder / kLiveFile)).at("samples");
  // Layers keep their places, and a normalisation that is merged into them keeps channels apart.
  const modularity::Cut cut(page->rounded, layer);
  const std::vector<nn::Layer>& layers = page->rounded.layers();
  const auto place =
      std::find_if(layers.begin(), layers.end(), [&](const nn::Layer& each) { return each.name == layer; });
  json part = {{"widget", "swap"},
               {"networks", std::string("live-") + kTrySection},
               {"layer", {{"number", place - layers.begin()}, {"channels", cut.channels()}}}};
  for (std::int64_t m = 0; m < modules.rank(); ++m)
    part["modules"].push_back(
        {{"channels", modules.channels_of(m)}, {"template", template_bytes(modules.templates[m])}});
  part["check"] = check_of(cut, modules, samples);
  write_file(folder / kSwapsFile, part.dump());
  return kSwapsFile;
}

void add_swaps(const experiment::Run& run, report::Section& section) {
  const std::filesystem::path file = run.session.folder() / kSwapsFile;
  if (!std::filesystem::exists(file)) return;
  section.paragraphs.emplace_back(
      "**Try it:** choose two images and the modules that the first takes over from the second.");
  section.live = read_file(file);
}

}  // namespace whence::kinds
