#include "nn/ops/batch_statistics.h"

#include "core/compatibility.h"
#include "nn/kernels/channel_mix.h"

namespace whence::nn {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;

/// Of each channel: the number of values it has, their mean, and the mean of their squared distances to that.
struct Statistics {
  double count;
  Tensor mean, variance;
};

double values_of_a_channel(const Tensor& x) {
  return static_cast<double>(x.numel()) / static_cast<double>(std::max<std::int64_t>(x.size(1), 1));
}

/// In float64: numbers of each channel only.
Statistics own_statistics(const Tensor& x) {
  const auto [mean, variance] = at::batch_norm_update_stats(x, {}, {}, 0.);
  return {values_of_a_channel(x), mean.to(at::kDouble), variance.to(at::kDouble)};
}

/// Of several sets of values taken together (Chan, Golub & LeVeque 1983).
Statistics joined(const std::vector<Tensor>& parts) {
  Statistics all{0, {}, {}};
  for (const Tensor& part : parts) all.count += part[2][0].item<double>();
  for (const Tensor& part : parts) {
    const Tensor share = part[2] / all.count * part[0];
    all.mean = all.mean.defined() ? all.mean + share : share;
  }
  for (const Tensor& part : parts) {
    const Tensor share = part[2] / all.count * (part[1] + (part[0] - all.mean).square());
    all.variance = all.variance.defined() ? all.variance + share : share;
  }
  return all;
}

Statistics statistics_of_all(const Tensor& x, const BatchPart& part) {
  const Statistics own = own_statistics(x);
  if (part.exchange == nullptr) return own;
  return joined(part.all(at::stack({own.mean, own.variance, at::full_like(own.mean, own.count)})));
}

void move_running(const NormTensors& tensors, const Statistics& all, double momentum) {
  const at::NoGradGuard no_gradients;
  const auto move = [&](const Tensor& running, const Tensor& value) {
    running.mul_(1 - momentum).add_(value.to(running.scalar_type()), momentum);
  };
  move(tensors.running_mean, all.mean);
  move(tensors.running_var, all.variance * (all.count / std::max(all.count - 1, 1.)));
}

class BatchNormOfParts : public torch::autograd::Function<BatchNormOfParts> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const NormTensors& tensors, double momentum, double epsilon, const BatchPart& part) {
    const Tensor input = x.contiguous(x.suggest_memory_format());
    const Statistics all = statistics_of_all(input, part);
    if (part.is_first()) move_running(tensors, all, momentum);
    const Tensor mean = all.mean.to(weight.scalar_type()), variance = all.variance.to(weight.scalar_type());
    context->save_for_backward({input, weight, mean, variance});
    context->saved_data["epsilon"] = epsilon;
    context->saved_data["count"] = all.count;
    context->saved_data["part"] = part.part;
    // A number to LibTorch, which knows no such class; the exchange outlives the graph.
    context->saved_data["exchange"] =
        static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(part.exchange));
    return std::get<0>(
        at::native_batch_norm(input, weight, bias, mean, variance, /*training=*/false, momentum, epsilon));
  }

  static torch::autograd::variable_list backward(AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "batch norm in training has no second derivatives");
    auto& saved = context->saved_data;
    const torch::autograd::variable_list tensors = context->get_saved_variables();
    const Tensor &input = tensors[0], &weight = tensors[1], &mean = tensors[2], &variance = tensors[3];
    const double epsilon = saved["epsilon"].toDouble();
    const BatchPart part{reinterpret_cast<Exchange*>(static_cast<std::intptr_t>(saved["exchange"].toInt())),
                         saved["part"].toInt()};
    const Tensor gradient = gradients[0].contiguous(input.suggest_memory_format());
    // With given statistics LibTorch sums gradient x normalised input, and the gradient, over this part.
    const auto [none, of_weight, of_bias] = at::native_batch_norm_backward(
        gradient, input, weight, mean, variance, {}, {}, /*train=*/false, epsilon, {false, true, true});
    Tensor sums;
    for (const Tensor& own : part.all(at::stack({of_weight, of_bias}).to(at::kDouble)))
      sums = sums.defined() ? sums + own : own;
    return {input_gradient(gradient, tensors, sums / saved["count"].toDouble(), epsilon),
            of_weight,
            of_bias,
            {},
            {},
            {},
            {}};
  }

 private:
  /// weight / deviation (gradient - mean of it - normalised input x mean of their product).
  static Tensor input_gradient(const Tensor& gradient, const torch::autograd::variable_list& tensors,
                               const Tensor& means, double epsilon) {
    const Tensor &input = tensors[0], &weight = tensors[1], &mean = tensors[2], &variance = tensors[3];
    const Tensor inverse = (variance.to(at::kDouble) + epsilon).rsqrt(), a = weight * inverse,
                 b = -a * inverse * means[0], s = -a * means[1] - b * mean;
    const at::ScalarType format = input.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    return channel_mix(gradient, input, a.to(format), b.to(format), s.to(format));
  }
};

}  // namespace

bool norms_in_parts(const at::Tensor& x) {
  const at::ScalarType format = x.scalar_type();
  return x.is_cpu() && (format == at::kFloat || format == at::kDouble || format == at::kBFloat16);
}

at::Tensor batch_norm_of_parts(const at::Tensor& x, const NormTensors& tensors, double momentum,
                               double epsilon, const BatchPart& part) {
  return BatchNormOfParts::apply(x, tensors.weight, tensors.bias, tensors, momentum, epsilon, part);
}

}  // namespace whence::nn
