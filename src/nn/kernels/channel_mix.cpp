#include "nn/kernels/channel_mix.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <bit>

#include "nn/kernels/bf16_matrix.h"
#include "nn/kernels/product_units.h"

namespace whence::nn {
namespace {

/// Rows of `inner` numbers that belong to the same channel (contiguous), or to one channel each (channels-last).
struct Layout {
  std::int64_t rows, inner, channels;
  bool last;  ///< channels-last: inner is the number of channels
};

template <class T>
struct Mix {
  const T *x, *y;
  T* out;
};

template <class Sum>
struct Numbers {
  const Sum *a, *b, *s;
};

inline float widened(at::BFloat16 value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value.x) << 16);
}
inline float widened(float value) { return value; }
inline double widened(double value) { return value; }

/// To the nearest, ties to even; NaN stays NaN.
inline void store(at::BFloat16& place, float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  place.x = static_cast<std::uint16_t>((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : rounded);
}
inline void store(float& place, float value) { place = value; }
inline void store(double& place, double value) { place = value; }

template <class T, class Sum>
[[gnu::always_inline]] inline void mix_rows(const Layout& layout, const Mix<T>& maps,
                                            const Numbers<Sum>& numbers, std::int64_t begin,
                                            std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    const T *x = maps.x + row * layout.inner, *y = maps.y + row * layout.inner;
    T* out = maps.out + row * layout.inner;
    if (layout.last) {
      const Sum *a = numbers.a, *b = numbers.b, *s = numbers.s;
#pragma omp simd
      for (std::int64_t i = 0; i < layout.inner; ++i)
        store(out[i], a[i] * widened(x[i]) + (b[i] * widened(y[i]) + s[i]));
    } else {
      const std::int64_t channel = row % layout.channels;
      const Sum a = numbers.a[channel], b = numbers.b[channel], s = numbers.s[channel];
#pragma omp simd
      for (std::int64_t i = 0; i < layout.inner; ++i)
        store(out[i], a * widened(x[i]) + (b * widened(y[i]) + s));
    }
  }
}

template <class T, class Sum>
void mix_plainly(const Layout& layout, const Mix<T>& maps, const Numbers<Sum>& numbers, std::int64_t begin,
                 std::int64_t end) {
  mix_rows(layout, maps, numbers, begin, end);
}

#ifdef WHENCE_HAS_BF16_CODE
/// The same code, on vectors of AVX-512.
template <class T, class Sum>
WHENCE_BF16 void mix_widely(const Layout& layout, const Mix<T>& maps, const Numbers<Sum>& numbers,
                            std::int64_t begin, std::int64_t end) {
  mix_rows(layout, maps, numbers, begin, end);
}
#endif

template <class T, class Sum>
void mix(const Layout& layout, const Mix<T>& maps, const Numbers<Sum>& numbers) {
  auto* rows = mix_plainly<T, Sum>;
#ifdef WHENCE_HAS_BF16_CODE
  if (has_bf16_products()) rows = mix_widely<T, Sum>;
#endif
  constexpr std::int64_t grain = 32768;  // numbers
  at::parallel_for(0, layout.rows, std::max<std::int64_t>(1, grain / std::max<std::int64_t>(layout.inner, 1)),
                   [&](std::int64_t begin, std::int64_t end) { rows(layout, maps, numbers, begin, end); });
}

bool both_are(const at::Tensor& x, const at::Tensor& y, at::MemoryFormat format) {
  return x.is_contiguous(format) && y.is_contiguous(format);
}

Layout layout_of(const at::Tensor& x, const at::Tensor& y) {
  const bool contiguous = both_are(x, y, at::MemoryFormat::Contiguous);
  TORCH_CHECK(x.sizes() == y.sizes() && (contiguous || both_are(x, y, at::MemoryFormat::ChannelsLast)),
              "channel_mix: the maps differ in their sizes or in their order in memory");
  const std::int64_t channels = x.size(1), numbers = x.numel();
  const bool last = x.dim() == 2 || !contiguous;
  const std::int64_t inner = last ? channels : numbers / std::max<std::int64_t>(x.size(0) * channels, 1);
  return {inner == 0 ? 0 : numbers / inner, inner, channels, last};
}

template <class T, class Sum>
void mix_tensors(const at::Tensor& x, const at::Tensor& y, const at::Tensor& out, const at::Tensor& a,
                 const at::Tensor& b, const at::Tensor& s) {
  mix<T, Sum>(layout_of(x, y), {x.data_ptr<T>(), y.data_ptr<T>(), out.data_ptr<T>()},
              {a.data_ptr<Sum>(), b.data_ptr<Sum>(), s.data_ptr<Sum>()});
}

}  // namespace

at::Tensor channel_mix(const at::Tensor& x, const at::Tensor& y, const at::Tensor& a, const at::Tensor& b,
                       const at::Tensor& s) {
  const at::Tensor out = at::empty_like(x);
  switch (x.scalar_type()) {
    case at::kBFloat16:
      mix_tensors<at::BFloat16, float>(x, y, out, a, b, s);
      break;
    case at::kFloat:
      mix_tensors<float, float>(x, y, out, a, b, s);
      break;
    case at::kDouble:
      mix_tensors<double, double>(x, y, out, a, b, s);
      break;
    default:
      TORCH_CHECK(false, "channel_mix: maps of ", x.scalar_type());
  }
  return out;
}

}  // namespace whence::nn
