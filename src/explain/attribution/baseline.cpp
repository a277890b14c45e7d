#include "whence/explain/attribution/baseline.h"

#include <sstream>

#include "whence/core/error.h"
#include "whence/core/filters.h"
#include "whence/core/names.h"
#include "whence/core/random.h"
#include "whence/platform/device.h"

namespace whence::attribution {
namespace {

using at::Tensor;

constexpr std::string_view kBaselineKinds[] = {"own", "mean", "data", "blur", "noise"};

[[noreturn]] void refuse(const std::string& kind) {
  fail_usage(
      "baseline_image is '{}'{}, but must be own, mean, data, blur, noise, a grey level (0.5) or a colour "
      "(1,0,0)",
      kind, did_you_mean(kind, kBaselineKinds));
}

/// The numbers of "0.2,0.4,1".
std::vector<double> numbers_of(const std::string& kind) {
  std::vector<double> numbers;
  std::istringstream text(kind);
  for (std::string part; std::getline(text, part, ',');) {
    std::size_t read = 0;
    double number = -1;
    try {
      number = std::stod(part, &read);
    } catch (const std::exception&) {
      refuse(kind);
    }
    if (read != part.size() || !(number >= 0 && number <= 1)) refuse(kind);
    numbers.push_back(number);
  }
  if (numbers.empty()) refuse(kind);
  return numbers;
}

Tensor colour(const std::string& kind, const Tensor& x) {
  const std::vector<double> numbers = numbers_of(kind);
  if (numbers.size() != 1 && std::ssize(numbers) != x.size(1))
    fail_usage("baseline_image is the colour '{}' with {} numbers, but images have {} channels", kind,
               numbers.size(), x.size(1));
  const Tensor image = at::empty({1, x.size(1), 1, 1}, x.options());
  for (std::int64_t channel = 0; channel < x.size(1); ++channel)
    image.select(1, channel).fill_(numbers[numbers.size() == 1 ? 0 : static_cast<std::size_t>(channel)]);
  return image.expand({1, -1, x.size(2), x.size(3)});
}

Tensor references_for(const std::string& kind, const Request& request, const Options& options) {
  const Tensor& references = options.references;
  if (!references.defined() || references.size(0) == 0)
    fail_usage("the baseline '{}' needs images of the data; give some as references", kind);
  if (references.sizes().slice(1) != request.x.sizes().slice(1))
    fail_usage("the references must be images of the same shape as the explained ones");
  return references;
}

Tensor one_of(const Tensor& references, std::uint64_t seed) {
  Generator generator = make_generator(seed, "attribution/baseline");
  const auto row =
      at::randint(references.size(0), {1}, generator, draws_of(generator, at::kLong)).item<std::int64_t>();
  return references.narrow(0, row, 1);
}

Tensor noise(const Tensor& x, double deviation, std::uint64_t seed) {
  Generator generator = make_generator(seed, "attribution/baseline");
  const Tensor normal = at::randn(x.sizes().slice(1), generator, draws_of(generator));
  return (0.5 + deviation * normal).clamp(0, 1).unsqueeze(0).to(x.options());
}

Tensor given(const Tensor& image, const Request& request) {
  const Tensor& x = request.x;
  const Tensor own = image.to(x.options());
  if (own.sizes() == x.sizes().slice(1)) return own.unsqueeze(0).expand_as(x);
  const bool each = own.dim() == 4 && own.sizes().slice(1) == x.sizes().slice(1) &&
                    own.size(0) >= request.first + x.size(0);
  if (!each) fail_usage("the baseline must have an image's shape, or be one for each image");
  return own.narrow(0, request.first, x.size(0));
}

}  // namespace

at::Tensor baseline_of(const Request& request, const Options& options, double level, std::string_view own) {
  const auto& baseline = options.of<Baseline>();
  const Tensor& x = request.x;
  if (baseline.image.defined()) return given(baseline.image, request);
  const std::string kind = baseline.kind == "own" ? std::string(own) : baseline.kind;
  if (kind == "blur")
    return gaussian_blur(x, baseline.blur * static_cast<double>(std::min(x.size(2), x.size(3))));
  const Tensor one = [&]() -> Tensor {
    if (kind == "level") return at::full({1, 1, 1, 1}, level, x.options());
    if (kind == "mean") return references_for(kind, request, options).mean(0, true).to(x.options());
    if (kind == "data") return one_of(references_for(kind, request, options), options.seed).to(x.options());
    if (kind == "noise") return noise(x, baseline.noise, options.seed);
    return colour(kind, x);
  }();
  return one.expand_as(x);
}

}  // namespace whence::attribution
