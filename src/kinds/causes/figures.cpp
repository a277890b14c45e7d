// The sweeps of causal factors.
#include "kinds/gce/figures.h"
#include "kinds/causes/causes.h"
#include "whence/core/random.h"
#include "whence/explain/flow/sweep.h"
#include "whence/explain/gce/in_front.h"

namespace whence::kinds {
namespace {

constexpr double kFarthest = 3;  ///< of a sweep, in deviations
constexpr std::int64_t kSweepSteps = 7;

}  // namespace

std::vector<std::string> draw_causes(const models::Decoder& decoder, const models::Classifier& classifier,
                                     const gce::LatentMap& map, const CausesOptions& options,
                                     std::uint64_t seed, const std::vector<std::string>& class_names,
                                     const std::filesystem::path& folder) {
  const auto behind = gce::in_front(map.network(), decoder);
  Generator generator = make_generator(seed, "causes/sweeps");
  const at::Tensor factors = at::randn({options.drawn, behind->latents()}, generator).to(decoder.device());
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < map.causal(); ++i) {
    const std::string factor = fmt::format("alpha_{}", i + 1);
    names.push_back("causes-" + factor);
    draw_sweep(
        flow::sweep(*behind, classifier, factors, i, flow::even_steps(-kFarthest, kFarthest, kSweepSteps)),
        {.title = fmt::format("{} moves, the rest is kept", factor),
         .axis = "added to " + factor,
         .class_names = class_names,
         .row_labels = std::vector<std::string>(static_cast<std::size_t>(options.drawn)),
         .row_axis = ""},
        folder / names.back());
  }
  return names;
}

}  // namespace whence::kinds
