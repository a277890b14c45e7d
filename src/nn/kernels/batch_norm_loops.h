// The loops of batch normalisation over a block of pixels, whose channels lie side by side (nn/pixels.h).
#pragma once

#include <algorithm>

#include "nn/kernels/pixels.h"

namespace whence::nn::norm {

/// y = scale (x - mean) + bias; one number a channel each.
struct Line {
  const float *mean, *scale, *bias;

  Line(const at::Tensor& mean_of, const at::Tensor& scale_of, const at::Tensor& bias_of)
      : mean(mean_of.data_ptr<float>()), scale(scale_of.data_ptr<float>()), bias(bias_of.data_ptr<float>()) {}
  WHENCE_INLINED float at(float x, std::int64_t channel) const {
    return scale[channel] * (x - mean[channel]) + bias[channel];
  }
};

/// Sums of d and of d * d, d = x - origin.
struct SumMoments {
  template <class T>
  WHENCE_INLINED static void run(const T* __restrict x, const float* __restrict origin, std::int64_t pixels,
                                 std::int64_t channels, float* __restrict sum, float* __restrict squares) {
    std::fill_n(sum, channels, 0.0f);
    std::fill_n(squares, channels, 0.0f);
    std::int64_t pixel = 0;
    for (; pixel + 4 <= pixels; pixel += 4, x += 4 * channels) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const float d0 = wide(x[c]) - origin[c], d1 = wide(x[c + channels]) - origin[c],
                    d2 = wide(x[c + 2 * channels]) - origin[c], d3 = wide(x[c + 3 * channels]) - origin[c];
        sum[c] += (d0 + d1) + (d2 + d3);
        squares[c] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3);
      }
    }
    for (; pixel < pixels; ++pixel, x += channels) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const float d = wide(x[c]) - origin[c];
        sum[c] += d;
        squares[c] += d * d;
      }
    }
  }
};

/// The output, or its ReLU.
template <bool relu>
struct Normalise {
  template <class T>
  WHENCE_INLINED static void run(const T* __restrict x, Line line, std::int64_t pixels, std::int64_t channels,
                                 T* __restrict y) {
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel, x += channels, y += channels) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const float value = line.at(wide(x[c]), c);
        store(relu && value < 0 ? 0 : value, y[c]);
      }
    }
  }
};

/// The output's gradient, where the ReLU passed something.
template <bool relu, class T>
WHENCE_INLINED float passed(T gradient, T x, const Line& line, std::int64_t channel) {
  return relu && line.at(wide(x), channel) <= 0 ? 0 : wide(gradient);
}

/// Sums of the gradient g and of g (x - mean).
template <bool relu>
struct SumGradients {
  template <class T>
  WHENCE_INLINED static void run(const T* __restrict gradient, const T* __restrict x, Line line,
                                 std::int64_t pixels, std::int64_t channels, float* __restrict sum,
                                 float* __restrict products) {
    std::fill_n(sum, channels, 0.0f);
    std::fill_n(products, channels, 0.0f);
    std::int64_t pixel = 0;
    for (; pixel + 2 <= pixels; pixel += 2, x += 2 * channels, gradient += 2 * channels) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const std::int64_t next = c + channels;
        const float g0 = passed<relu>(gradient[c], x[c], line, c),
                    g1 = passed<relu>(gradient[next], x[next], line, c);
        sum[c] += g0 + g1;
        products[c] += g0 * (wide(x[c]) - line.mean[c]) + g1 * (wide(x[next]) - line.mean[c]);
      }
    }
    for (; pixel < pixels; ++pixel, x += channels, gradient += channels) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const float g = passed<relu>(gradient[c], x[c], line, c);
        sum[c] += g;
        products[c] += g * (wide(x[c]) - line.mean[c]);
      }
    }
  }
};

/// Of x: scale (g - along) + across (x - mean), what a batch's own moments pass back taken off.
template <bool relu>
struct PassBack {
  template <class T>
  WHENCE_INLINED static void run(const T* __restrict gradient, const T* __restrict x, Line line,
                                 const float* __restrict along, const float* __restrict across,
                                 std::int64_t pixels, std::int64_t channels, T* __restrict to) {
    for (std::int64_t pixel = 0; pixel < pixels;
         ++pixel, x += channels, gradient += channels, to += channels) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const float g = passed<relu>(gradient[c], x[c], line, c);
        store(line.scale[c] * (g - along[c]) + across[c] * (wide(x[c]) - line.mean[c]), to[c]);
      }
    }
  }
};

}  // namespace whence::nn::norm
