#include "report/figures.h"

namespace whence::report {
namespace {

constexpr double kBeyond = 0.005;  // share of the pixels
constexpr float kRed[3] = {0.70F, 0.09F, 0.17F}, kBlue[3] = {0.13F, 0.40F, 0.67F};

at::Tensor colour(const float (&channels)[3]) {
  return at::tensor(at::ArrayRef<float>(channels, 3)).view({3, 1, 1});
}

}  // namespace

at::Tensor heat_map(const at::Tensor& values) {
  TORCH_CHECK(values.dim() >= 2 && values.numel() > 0, "a heat map is of values (..., H, W), got ",
              values.sizes());
  const at::Tensor flat = values.to(at::kCPU, at::kFloat).flatten(-2).contiguous();
  const std::int64_t pixels = flat.size(-1);
  const auto beyond = static_cast<std::int64_t>(kBeyond * static_cast<double>(pixels));
  const at::Tensor largest = std::get<0>(flat.abs().topk(beyond + 1, -1)).select(-1, beyond);
  const at::Tensor scale = largest.clamp_min(1e-30).unsqueeze(-1).unsqueeze(-1);
  const at::Tensor strength = (flat.view(values.sizes()) / scale).clamp(-1, 1).unsqueeze(-3);
  const at::Tensor end = at::where(strength > 0, colour(kRed), colour(kBlue));
  return 1 + strength.abs() * (end - 1);
}

}  // namespace whence::report
