#include "nn/kernels/bf16_products.h"
#include "nn/kernels/bf16_strip.h"

namespace whence::nn {

#ifdef WHENCE_HAS_BF16_CODE

namespace {

using namespace bf16;

/// Pixels of `channels` halves each; `output` and `masked` are null without a ReLU. Adds to `sums`.
struct PixelRun {
  const Half *gradient, *output;
  Half* masked;
  float* sums;
  std::int64_t channels;

  WHENCE_BF16 void operator()(std::int64_t first, std::int64_t last) const {
    std::int64_t c = 0;
    for (; c + 4 * kColumns <= channels; c += 4 * kColumns) add<4>(first, last, c, 0xffff);
    for (; c + kColumns <= channels; c += kColumns) add<1>(first, last, c, 0xffff);
    if (c < channels) add<1>(first, last, c, static_cast<__mmask16>((1u << (channels - c)) - 1));
  }

 private:
  /// Channels c .. c + 16 * kVectors, whose sums stay in registers; `mask` leaves the last ones out.
  template <int kVectors>
  WHENCE_BF16 void add(std::int64_t first, std::int64_t last, std::int64_t c, __mmask16 mask) const {
    const __m256i zero = _mm256_setzero_si256();
    __m512 own[kVectors];
    for (int v = 0; v < kVectors; ++v) own[v] = _mm512_maskz_loadu_ps(mask, sums + c + v * kColumns);
    for (std::int64_t i = first * channels + c; i < last * channels; i += channels) {
      for (int v = 0; v < kVectors; ++v) {
        const std::int64_t at = i + v * kColumns;
        __m256i value = _mm256_maskz_loadu_epi16(mask, gradient + at);
        if (output != nullptr) {  // above 0 as an integer is above 0 as a number
          const __m256i passed = _mm256_maskz_loadu_epi16(mask, output + at);
          value = _mm256_maskz_mov_epi16(_mm256_cmpgt_epi16_mask(passed, zero), value);
          _mm256_mask_storeu_epi16(masked + at, mask, value);
        }
        const __m512 wide = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(value), 16));
        own[v] = _mm512_add_ps(own[v], wide);
      }
    }
    for (int v = 0; v < kVectors; ++v) _mm512_mask_storeu_ps(sums + c + v * kColumns, mask, own[v]);
  }
};

}  // namespace

BiasGradient bf16::pass_back_bias(const at::Tensor& gradient, const at::Tensor& output) {
  const std::int64_t images = gradient.size(0), channels = gradient.size(1);
  const std::int64_t pixels = gradient.size(2) * gradient.size(3);
  const at::Tensor masked = output.defined() ? at::empty_like(gradient) : gradient;
  const at::Tensor sums = at::zeros({images, channels}, at::kFloat);
  const PixelRun run{halves(gradient), output.defined() ? halves(output) : nullptr, halves(masked), nullptr,
                     channels};
  auto* of_images = sums.data_ptr<float>();
  at::parallel_for(0, images, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t image = begin; image < end; ++image) {
      PixelRun own = run;
      own.sums = of_images + image * channels;
      own(image * pixels, (image + 1) * pixels);
    }
  });
  return {masked, sums.sum(0)};
}

#else

BiasGradient bf16::pass_back_bias(const at::Tensor&, const at::Tensor&) {
  TORCH_CHECK(false, "bfloat16 products are not in this build");
}

#endif

}  // namespace whence::nn
