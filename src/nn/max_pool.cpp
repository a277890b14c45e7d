#include "nn/max_pool.h"

#include <ATen/Parallel.h>

#include <limits>
#include <type_traits>

#include "core/compatibility.h"
#include "nn/kernels.h"
#include "nn/pixels.h"

namespace whence::nn {
namespace {

using at::Tensor;

/// The number of the largest pixel in a window that has none above 0; windows are smaller.
constexpr std::uint8_t kNone = 255;

struct PoolShape {
  std::int64_t channels, height, width, output_height, output_width, kernel, stride, padding;

  PoolShape(at::IntArrayRef x, const MaxPool2d& op)
      : channels(x[1]),
        height(x[2]),
        width(x[3]),
        output_height((x[2] + 2 * op.padding - op.kernel) / op.stride + 1),
        output_width((x[3] + 2 * op.padding - op.kernel) / op.stride + 1),
        kernel(op.kernel),
        stride(op.stride),
        padding(op.padding) {}
  std::int64_t input_size() const { return channels * height * width; }
  std::int64_t output_size() const { return channels * output_height * output_width; }
  /// Whether each pixel is in one window.
  bool tiles_input() const {
    return stride == kernel && padding == 0 && height % kernel == 0 && width % kernel == 0;
  }

  /// Calls visit(output pixel, input pixel, number of the pixel in its window) for each pixel of each window.
  template <class Visit>
  void visit_windows(const Visit& visit) const {
    for (std::int64_t i = 0; i < output_height * output_width; ++i) {
      const std::int64_t top = i / output_width * stride - padding,
                         left = i % output_width * stride - padding;
      for (std::int64_t k = 0; k < kernel * kernel; ++k) {
        const std::int64_t y = top + k / kernel, x = left + k % kernel;
        if (y >= 0 && y < height && x >= 0 && x < width)
          visit(i * channels, (y * width + x) * channels, static_cast<std::uint8_t>(k));
      }
    }
  }
};

/// Its place in the order of pixels; NaN is last, so that it stays the maximum, as in LibTorch. Halves are compared as integers,
/// which compilers vectorise.
WHENCE_INLINED std::int16_t rank(StoredHalf half) {
  constexpr std::int16_t infinity = 0x7f80, last = 0x7fff;
  const auto magnitude = static_cast<std::int16_t>(half & 0x7fff);
  const auto number = static_cast<std::int16_t>(half >> 15 != 0 ? -magnitude : magnitude);
  return magnitude > infinity ? last : number;
}
template <class T>
WHENCE_INLINED bool is_larger(T value, T best) {
  return (value > best) | std::isnan(value);
}
WHENCE_INLINED bool is_larger(StoredHalf value, StoredHalf best) { return rank(value) > rank(best); }

/// Keeps the larger of two pixels in each channel, and its number.
struct KeepLarger {
  template <class T>
  WHENCE_INLINED static void run(const T* candidate, std::uint8_t number, T* largest, std::uint8_t* at,
                                 std::int64_t count) {
    for (std::int64_t c = 0; c < count; ++c) {
      const bool larger = is_larger(candidate[c], largest[c]);
      largest[c] = larger ? candidate[c] : largest[c];
      at[c] = larger ? number : at[c];
    }
  }
};

struct AddToLargest {
  template <class T>
  WHENCE_INLINED static void run(const T* gradient, const std::uint8_t* at, std::uint8_t number, T* to,
                                 std::int64_t count) {
    for (std::int64_t c = 0; c < count; ++c) {
      const auto own = wide(gradient[c]);
      store(wide(to[c]) + (at[c] == number ? own : 0), to[c]);
    }
  }
};

/// Where each pixel is in one window at most.
struct SetLargest {
  template <class T>
  WHENCE_INLINED static void run(const T* gradient, const std::uint8_t* at, std::uint8_t number, T* to,
                                 std::int64_t count) {
    for (std::int64_t c = 0; c < count; ++c) to[c] = at[c] == number ? gradient[c] : T{0};
  }
};

template <class T>
auto pass_back_for(const PoolShape& shape) {
  return shape.stride >= shape.kernel
             ? widest<SetLargest, const T*, const std::uint8_t*, std::uint8_t, T*, std::int64_t>()
             : widest<AddToLargest, const T*, const std::uint8_t*, std::uint8_t, T*, std::int64_t>();
}

/// The least value there is, which every pixel exceeds; 0 in front of a ReLU.
template <class T>
T starting_value(bool relu) {
  T value;
  store(relu ? 0 : -std::numeric_limits<decltype(wide(T{}))>::infinity(), value);
  return value;
}

template <class T>
void pool(const PoolShape& shape, std::int64_t images, bool relu, const T* x, T* y, std::uint8_t* at) {
  const auto keep_larger = widest<KeepLarger, const T*, std::uint8_t, T*, std::uint8_t*, std::int64_t>();
  at::parallel_for(0, images, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t image = begin; image < end; ++image) {
      T* largest = y + image * shape.output_size();
      std::uint8_t* numbers = at + image * shape.output_size();
      std::fill_n(largest, shape.output_size(), starting_value<T>(relu));
      std::fill_n(numbers, shape.output_size(), kNone);
      shape.visit_windows([&](std::int64_t output, std::int64_t input, std::uint8_t number) {
        keep_larger(x + image * shape.input_size() + input, number, largest + output, numbers + output,
                    shape.channels);
      });
    }
  });
}

template <class T>
void pass_back(const PoolShape& shape, std::int64_t images, const T* gradient, const std::uint8_t* at,
               T* to) {
  const auto to_window = pass_back_for<T>(shape);
  at::parallel_for(0, images, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t image = begin; image < end; ++image) {
      T* pixels = to + image * shape.input_size();
      if (!shape.tiles_input()) std::fill_n(pixels, shape.input_size(), T{0});
      const std::int64_t first = image * shape.output_size();
      shape.visit_windows([&](std::int64_t output, std::int64_t input, std::uint8_t number) {
        to_window(gradient + first + output, at + first + output, number, pixels + input, shape.channels);
      });
    }
  });
}

class MaxPool : public torch::autograd::Function<MaxPool> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& x, const MaxPool2d& op,
                        bool relu) {
    const PoolShape shape(x.sizes(), op);
    const Tensor input = pixels_together(x);
    const std::vector<std::int64_t> sizes = {x.size(0), x.size(1), shape.output_height, shape.output_width};
    const Tensor output = at::empty(sizes, x.options(), at::MemoryFormat::ChannelsLast);
    const Tensor numbers = at::empty(sizes, x.options().dtype(at::kByte), at::MemoryFormat::ChannelsLast);
    with_pixel_type(x.scalar_type(), [&](auto* type) {
      using Pixel = std::remove_pointer_t<decltype(type)>;
      pool(shape, x.size(0), relu, static_cast<const Pixel*>(input.data_ptr()),
           static_cast<Pixel*>(output.data_ptr()), numbers.data_ptr<std::uint8_t>());
    });
    context->saved_data["sizes"] = x.sizes();
    context->saved_data["window"] = std::vector<std::int64_t>{op.kernel, op.stride, op.padding};
    context->save_for_backward({numbers});
    return output;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "max_pool has no second derivatives");
    const std::vector<std::int64_t> sizes = context->saved_data["sizes"].toIntVector();
    const std::vector<std::int64_t> window = context->saved_data["window"].toIntVector();
    const Tensor numbers = context->get_saved_variables()[0];
    const Tensor gradient = pixels_together(gradients[0]);
    const Tensor result = at::empty(sizes, gradient.options(), at::MemoryFormat::ChannelsLast);
    with_pixel_type(gradient.scalar_type(), [&](auto* type) {
      using Pixel = std::remove_pointer_t<decltype(type)>;
      pass_back(PoolShape(sizes, {window[0], window[1], window[2]}), sizes[0],
                static_cast<const Pixel*>(gradient.data_ptr()), numbers.data_ptr<std::uint8_t>(),
                static_cast<Pixel*>(result.data_ptr()));
    });
    return {result, {}, {}};
  }
};

}  // namespace

at::Tensor max_pool(const at::Tensor& x, const MaxPool2d& op, bool relu) {
  if (op.kernel * op.kernel >= kNone || !uses(KernelFamily::max_pool)) {  // too large a window for a byte
    Tensor largest = at::max_pool2d(pixels_together(x), op.kernel, op.stride, op.padding);
    return relu ? at::relu_(largest) : largest;
  }
  return MaxPool::apply(x, op, relu);
}

}  // namespace whence::nn
