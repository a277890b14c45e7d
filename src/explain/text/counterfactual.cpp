#include "whence/explain/text/counterfactual.h"

#include "whence/explain/text/decoding.h"

namespace whence::text {

std::optional<NearestChange> nearest_change(
    const models::SentenceVae& vae, const at::Tensor& z, std::int64_t longest,
    const std::function<at::Tensor(const at::Tensor& numbers)>& answers, double step, double most) {
  const double own = z[0][0].item<double>();
  std::vector<float> values = {static_cast<float>(own)};
  for (int i = 1; step * i <= std::abs(own) + most; ++i)
    for (const double value : {own - step * i, own + step * i})
      if (std::abs(value) <= most) values.push_back(static_cast<float>(value));
  const auto count = static_cast<std::int64_t>(values.size());
  at::Tensor codes = z.repeat({count, 1});
  codes.select(1, 0).copy_(at::tensor(values, z.options().requires_grad(false)));
  const at::Tensor texts = decode_greedily(vae, codes, longest), p = answers(texts);
  const at::Tensor other = p.argmax(1).ne(p[0].argmax()).nonzero();
  if (other.size(0) == 0) return std::nullopt;
  const std::int64_t row = other[0][0].item<std::int64_t>();
  return NearestChange{values[static_cast<std::size_t>(row)], texts[row], p[row]};
}

}  // namespace whence::text
