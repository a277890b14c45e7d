#include "interchange/onnx_window.h"

#include <algorithm>

namespace whence::interchange {
namespace {

/// Larger ones are a damaged file, and could overflow.
constexpr std::int64_t kLargest = 1 << 20;

std::vector<std::int64_t> numbers_for(const OnnxCall& call, const char* name, std::size_t count,
                                      std::int64_t least, std::int64_t otherwise) {
  const std::vector<std::int64_t> numbers = call.integers(name, std::vector<std::int64_t>(count, otherwise));
  if (numbers.size() != count)
    call.problem("has {} numbers as {} instead of {}", numbers.size(), name, count);
  for (const std::int64_t number : numbers)
    if (number < least || number > kLargest) call.problem("has {} among its {}", number, name);
  return numbers;
}

/// As many as are needed for ceil(size / stride) results; the odd one at the end (SAME_UPPER) or at the beginning.
void pad_to_same(OnnxWindow& window, const OnnxSizes& input, bool upper) {
  for (std::size_t i = 0; i < window.dimensions(); ++i) {
    const std::int64_t size = input[i + 2].count, stride = window.strides[i];
    const std::int64_t reach = window.dilations[i] * (window.kernel[i] - 1) + 1;
    const std::int64_t results = (size + stride - 1) / stride;
    const std::int64_t total = std::max<std::int64_t>((results - 1) * stride + reach - size, 0);
    window.begin[i] = upper ? total / 2 : total - total / 2;
    window.end[i] = total - window.begin[i];
  }
}

}  // namespace

bool OnnxWindow::is_padded() const {
  const auto any = [](const std::vector<std::int64_t>& list) {
    return std::any_of(list.begin(), list.end(), [](std::int64_t pad) { return pad != 0; });
  };
  return any(begin) || any(end);
}

std::int64_t OnnxWindow::result(std::size_t i, std::int64_t size) const {
  const std::int64_t reach = dilations[i] * (kernel[i] - 1) + 1;
  const std::int64_t room = size + begin[i] + end[i] - reach;
  if (room < 0) throw OnnxProblem("has a window that is larger than its input");
  std::int64_t results = room / strides[i] + 1;
  if (ceil && room % strides[i] != 0 && results * strides[i] < size + begin[i]) ++results;
  return results;
}

OnnxWindow window_of(const OnnxCall& call, const std::vector<std::int64_t>& kernel, const OnnxSizes& input) {
  const std::size_t count = kernel.size();
  if (count < 1 || count > 3 || input.size() != count + 2)
    call.problem("has a window of {} dimensions for an input of {}", count, text_of(input));
  for (const std::int64_t size : kernel)
    if (size < 1 || size > kLargest) call.problem("has a window of size {}", size);
  for (std::size_t i = 1; i < input.size(); ++i)
    if (input[i].batch || input[i].count > kLargest) call.problem("has an input of {}", text_of(input));
  OnnxWindow window;
  window.kernel = kernel;
  window.strides = numbers_for(call, "strides", count, 1, 1);
  window.dilations = numbers_for(call, "dilations", count, 1, 1);
  window.ceil = call.integer("ceil_mode", 0) != 0;
  const std::vector<std::int64_t> pads = numbers_for(call, "pads", 2 * count, 0, 0);
  const auto half = pads.begin() + static_cast<std::ptrdiff_t>(count);
  window.begin.assign(pads.begin(), half);
  window.end.assign(half, pads.end());
  const std::string automatic = call.text("auto_pad", "NOTSET");
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    pad_to_same(window, input, automatic == "SAME_UPPER");
  } else if (automatic == "VALID") {
    window.begin.assign(count, 0);
    window.end.assign(count, 0);
  } else if (automatic != "NOTSET" && !automatic.empty()) {
    call.problem("has '{}' as auto_pad", automatic);
  }
  return window;
}

OnnxSizes result_sizes(const OnnxWindow& window, const OnnxSizes& input, std::int64_t channels) {
  OnnxSizes sizes = {input[0], {channels}};
  for (std::size_t i = 0; i < window.dimensions(); ++i)
    sizes.push_back({window.result(i, input[i + 2].count)});
  return sizes;
}

OnnxValue padded_with(OnnxCall& call, const OnnxValue& x, const std::vector<std::int64_t>& begin,
                      const std::vector<std::int64_t>& end, double value) {
  std::vector<std::int64_t> pads;  // ATen begins with the last dimension
  OnnxSizes sizes = x.sizes;
  for (std::size_t i = begin.size(); i-- > 0;) {
    pads.push_back(begin[i]);
    pads.push_back(end[i]);
    sizes[x.rank() - begin.size() + i].count += begin[i] + end[i];
  }
  return call.emit("aten::constant_pad_nd", {x, pads, value}, sizes, x.type);
}

}  // namespace whence::interchange
