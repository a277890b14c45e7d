#include "nn/batch_norm.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "core/compatibility.h"
#include "nn/batch_norm_loops.h"
#include "nn/kernels.h"

namespace whence::nn {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;

/// What is added up in float32 before float64 takes over: small enough for that, large enough for a thread's turn.
constexpr std::int64_t kBlockElements = 1 << 15;

enum class Order { forwards, backwards };

/// The pixels of all images, in blocks.
struct Pixels {
  std::int64_t count, channels;

  explicit Pixels(const Tensor& x)
      : count(x.numel() / std::max<std::int64_t>(x.size(1), 1)), channels(x.size(1)) {}
  std::int64_t per_block() const { return std::max<std::int64_t>(kBlockElements / channels, 1); }
  std::int64_t blocks() const { return (count + per_block() - 1) / per_block(); }

  /// work(block, first pixel, pixels). What was written or read last is in the caches still: a pass begins where the one
  /// before it ended, sums at the last block, what is made of them at the first.
  template <class Work>
  void for_each_block(Order order, const Work& work) const {
    at::parallel_for(0, blocks(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t block = order == Order::forwards ? i : begin + end - 1 - i;
        const std::int64_t first = block * per_block();
        work(block, first, std::min(per_block(), count - first));
      }
    });
  }
};

/// Calls action with a null pointer of the type in which pixels of float32 or bfloat16 are read.
template <class Action>
void with_type_of(const Tensor& x, const Action& action) {
  x.scalar_type() == at::kBFloat16 ? action(static_cast<StoredHalf*>(nullptr))
                                   : action(static_cast<float*>(nullptr));
}

/// Adds up what loop(first value, pixels, two rows of sums) leaves for each block, (2, C) in float64.
template <class Loop>
Tensor sums_of(const Pixels& pixels, const Loop& loop) {
  const Tensor parts = at::empty({pixels.blocks(), 2, pixels.channels}, at::kFloat);
  float* sums = parts.data_ptr<float>();
  pixels.for_each_block(Order::backwards, [&](std::int64_t block, std::int64_t first, std::int64_t count) {
    float* own = sums + block * 2 * pixels.channels;
    loop(first * pixels.channels, count, own, own + pixels.channels);
  });
  return parts.sum(0, false, at::kDouble);
}

/// Mean and variance over the batch, (2, C), float64.
Tensor moments_of(const Tensor& x) {
  const Pixels pixels(x);
  const Tensor origin = x.select(0, 0).select(1, 0).select(1, 0).to(at::kFloat).contiguous();
  Tensor moments;
  with_type_of(x, [&](auto* type) {
    const auto* values = static_cast<decltype(type)>(x.data_ptr());
    moments = sums_of(pixels, [&](std::int64_t first, std::int64_t count, float* sum, float* squares) {
      run_widely<norm::SumMoments>(values + first, static_cast<const float*>(origin.data_ptr<float>()), count,
                                   pixels.channels, sum, squares);
    });
  });
  moments /= static_cast<double>(pixels.count);
  moments[1].sub_(moments[0].square()).clamp_min_(0);
  moments[0].add_(origin);
  return moments;
}

void move_running(const BatchNormTensors& tensors, const Tensor& moments, std::int64_t pixels,
                  double momentum) {
  const at::NoGradGuard no_gradients;
  const double unbiased =
      static_cast<double>(pixels) / static_cast<double>(std::max<std::int64_t>(pixels - 1, 1));
  tensors.running_mean.mul_(1 - momentum).add_(moments[0].to(at::kFloat), momentum);
  tensors.running_variance.mul_(1 - momentum).add_((moments[1] * unbiased).to(at::kFloat), momentum);
}

class BatchNormalisation : public torch::autograd::Function<BatchNormalisation> {
 public:
  /// mean and deviation: (C), float64
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const Tensor& mean, const Tensor& deviation, bool training, bool relu) {
    const Tensor scale = (weight / deviation).to(at::kFloat), centre = mean.to(at::kFloat);
    const norm::Line line(centre, scale, bias);
    const Tensor output = at::empty(x.sizes(), x.options(), at::MemoryFormat::ChannelsLast);
    const Pixels pixels(x);
    with_type_of(x, [&](auto* type) {
      using Pixel = std::remove_pointer_t<decltype(type)>;
      const auto* from = static_cast<const Pixel*>(x.data_ptr());
      auto* to = static_cast<Pixel*>(output.data_ptr());
      pixels.for_each_block(Order::forwards, [&](std::int64_t, std::int64_t first, std::int64_t count) {
        const std::int64_t at = first * pixels.channels;
        relu ? run_widely<norm::Normalise<true>>(from + at, line, count, pixels.channels, to + at)
             : run_widely<norm::Normalise<false>>(from + at, line, count, pixels.channels, to + at);
      });
    });
    context->saved_data["training"] = training;
    context->saved_data["relu"] = relu;
    context->saved_data["of_input"] = x.requires_grad();
    context->saved_data["of_parameters"] = weight.requires_grad() || bias.requires_grad();
    context->save_for_backward({x, bias, centre, scale, deviation});
    return output;
  }

  static torch::autograd::variable_list backward(AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "batch_norm has no second derivatives");
    return context->saved_data["relu"].toBool() ? pass_back<true>(context, gradients[0])
                                                : pass_back<false>(context, gradients[0]);
  }

 private:
  template <bool relu>
  static torch::autograd::variable_list pass_back(AutogradContext* context, const Tensor& whole) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const Tensor &x = saved[0], &scale = saved[3], &deviation = saved[4];
    const norm::Line line(saved[2], scale, saved[1]);
    const bool training = context->saved_data["training"].toBool();
    const bool of_parameters = context->saved_data["of_parameters"].toBool();
    const Tensor gradient = pixels_together(whole);
    Tensor sums;
    if (training || of_parameters) sums = gradient_sums<relu>(gradient, x, line);
    Tensor of_x, of_weight, of_bias;
    if (context->saved_data["of_input"].toBool()) {
      Tensor along = at::zeros_like(scale), across = at::zeros_like(scale);
      if (training) {
        const Tensor means = sums / static_cast<double>(Pixels(x).count);
        along = means[0].to(at::kFloat);
        across = (-scale * means[1] / deviation.square()).to(at::kFloat);
      }
      of_x = of_input<relu>(gradient, x, line, along, across);
    }
    if (of_parameters) {
      of_weight = (sums[1] / deviation).to(at::kFloat);
      of_bias = sums[0].to(at::kFloat);
    }
    return {of_x, of_weight, of_bias, {}, {}, {}, {}};
  }

  template <bool relu>
  static Tensor gradient_sums(const Tensor& gradient, const Tensor& x, const norm::Line& line) {
    const Pixels pixels(x);
    Tensor sums;
    with_type_of(x, [&](auto* type) {
      using Pixel = std::remove_pointer_t<decltype(type)>;
      const auto* g = static_cast<const Pixel*>(gradient.data_ptr());
      const auto* values = static_cast<const Pixel*>(x.data_ptr());
      sums = sums_of(pixels, [&](std::int64_t first, std::int64_t count, float* sum, float* products) {
        run_widely<norm::SumGradients<relu>>(g + first, values + first, line, count, pixels.channels, sum,
                                             products);
      });
    });
    return sums;
  }

  template <bool relu>
  static Tensor of_input(const Tensor& gradient, const Tensor& x, const norm::Line& line, const Tensor& along,
                         const Tensor& across) {
    const Pixels pixels(x);
    const Tensor result = at::empty(x.sizes(), x.options(), at::MemoryFormat::ChannelsLast);
    const float *taken = along.data_ptr<float>(), *slope = across.data_ptr<float>();
    with_type_of(x, [&](auto* type) {
      using Pixel = std::remove_pointer_t<decltype(type)>;
      const auto* g = static_cast<const Pixel*>(gradient.data_ptr());
      const auto* values = static_cast<const Pixel*>(x.data_ptr());
      auto* to = static_cast<Pixel*>(result.data_ptr());
      pixels.for_each_block(Order::forwards, [&](std::int64_t, std::int64_t first, std::int64_t count) {
        const std::int64_t at = first * pixels.channels;
        run_widely<norm::PassBack<relu>>(g + at, values + at, line, taken, slope, count, pixels.channels,
                                         to + at);
      });
    });
    return result;
  }
};

}  // namespace

at::Tensor batch_norm(const at::Tensor& x, const BatchNormTensors& tensors, const BatchNorm2d& op,
                      bool training, bool relu) {
  const bool is_double = x.scalar_type() == at::kDouble;
  if (is_double || x.numel() == 0 || !uses(KernelFamily::batch_norm)) {
    Tensor result =
        at::batch_norm(is_double ? x : pixels_together(x), tensors.weight, tensors.bias, tensors.running_mean,
                       tensors.running_variance, training, op.momentum, op.epsilon, false);
    return relu ? at::relu_(result) : result;
  }
  const Tensor pixels = pixels_together(x);
  Tensor mean = tensors.running_mean.to(at::kDouble), variance = tensors.running_variance.to(at::kDouble);
  if (training) {
    const Tensor moments = moments_of(pixels.detach());
    move_running(tensors, moments, Pixels(x).count, op.momentum);
    mean = moments[0];
    variance = moments[1];
  }
  const at::Tensor deviation = (variance + op.epsilon).sqrt();
  return BatchNormalisation::apply(pixels, tensors.weight, tensors.bias, mean, deviation, training, relu);
}

}  // namespace whence::nn
