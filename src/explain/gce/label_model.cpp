#include "whence/explain/gce/label_model.h"

#include "core/compatibility.h"

namespace whence::gce {
namespace {

nn::Network declare(std::int64_t causal, std::int64_t classes, at::Generator& generator, at::Device device) {
  constexpr std::int64_t hidden = 32;
  nn::Network network("label-model", {causal});
  network.add("hidden1", nn::Linear{hidden});
  network.add("relu1", nn::Relu{});
  network.add("hidden2", nn::Linear{hidden});
  network.add("relu2", nn::Relu{});
  network.add("labels", nn::Linear{classes});
  network.add("log_probabilities", nn::LogSoftmax{});
  nn::initialise(network, {}, generator);
  network.to(device);
  return network;
}

using at::Tensor;
using torch::autograd::AutogradContext;

/// The network as a single node of autograd's graph: at this size six layers' nodes cost several times their arithmetic,
/// and all of it lies in the part of a training step that one thread does alone.
class Perceptron : public torch::autograd::Function<Perceptron> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& alpha, const Tensor& weight1,
                        const Tensor& bias1, const Tensor& weight2, const Tensor& bias2,
                        const Tensor& weight3, const Tensor& bias3) {
    const Tensor hidden1 = at::linear(alpha, weight1, bias1).relu_();
    const Tensor hidden2 = at::linear(hidden1, weight2, bias2).relu_();
    const Tensor log_q = at::linear(hidden2, weight3, bias3).log_softmax(1);
    context->save_for_backward({alpha, hidden1, hidden2, log_q, weight2, weight3});
    return log_q;
  }

  static torch::autograd::variable_list backward(AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const Tensor &alpha = saved[0], &hidden1 = saved[1], &hidden2 = saved[2], &log_q = saved[3];
    const Tensor &weight2 = saved[4], &weight3 = saved[5], &given = gradients[0];
    const Tensor logits = given - log_q.exp() * given.sum(1, true);
    const Tensor of_hidden2 = at::mm(logits, weight3) * (hidden2 > 0);
    const Tensor of_hidden1 = at::mm(of_hidden2, weight2) * (hidden1 > 0);
    return {
        Tensor(),          at::mm(of_hidden1.t(), alpha), of_hidden1.sum(0), at::mm(of_hidden2.t(), hidden1),
        of_hidden2.sum(0), at::mm(logits.t(), hidden2),   logits.sum(0)};
  }
};

}  // namespace

LabelModel::LabelModel(std::int64_t causal, std::int64_t classes, at::Generator& generator, at::Device device)
    : network(declare(causal, classes, generator, device)), optimizer({&network}, nn::Adam{}) {}

at::Tensor LabelModel::log_probabilities(const at::Tensor& alpha) const {
  const std::vector<at::Tensor>& own = optimizer.parameters();
  return Perceptron::apply(alpha, own[0], own[1], own[2], own[3], own[4], own[5]);
}

}  // namespace whence::gce
