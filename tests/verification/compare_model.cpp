// compare_model FILE ANSWER.safetensors: a classifier's file against what Python computed (scripts/torchvision-models). Prints one
// JSON object: its layers or the operation that prevents them, and the largest differences of logits and input gradients as
// parts of the largest value.
#include <torch/csrc/autograd/autograd.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <iostream>
#include <map>

#include "whence/core/error.h"
#include "whence/interchange/safetensors.h"
#include "whence/models/roles.h"

namespace whence {
namespace {

double relative(const at::Tensor& found, const at::Tensor& expected) {
  return ((found.to(at::kDouble) - expected.to(at::kDouble)).abs().max() /
          expected.to(at::kDouble).abs().max())
      .item<double>();
}

struct Answer {
  at::Tensor logits, gradient;
};

/// With layers in float64, as Python's other side: a ReLU whose input is 0 but for rounding falls on the same side of it then.
Answer answer_of(const models::Classifier& classifier, const at::Tensor& image, const at::Tensor& weights) {
  if (classifier.network() == nullptr) {
    const at::Tensor x = image.clone().requires_grad_();
    const at::Tensor logits = classifier.logits(x);
    return {logits, torch::autograd::grad({(logits * weights).sum()}, {x}).front()};
  }
  const nn::Network exact = classifier.network()->clone();
  for (const nn::NamedTensor& own : exact.state()) own.tensor.set_data(own.tensor.to(at::kDouble));
  const at::Tensor x = image.to(at::kDouble).requires_grad_();
  const at::Tensor logits = exact.forward(x);
  return {logits, torch::autograd::grad({(logits * weights.to(at::kDouble)).sum()}, {x}).front()};
}

nlohmann::json compared(const std::filesystem::path& file, const std::filesystem::path& answer) {
  std::map<std::string, at::Tensor> python;
  for (const nn::NamedTensor& t : nn::load_safetensors(answer).tensors) python[t.name] = t.tensor;
  const auto begun = std::chrono::steady_clock::now();
  const auto classifier = models::load_classifier(file, python.at("x"), models::ClassifierOutput::logits);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
  const bool layers = classifier->network() != nullptr;
  const Answer found = answer_of(*classifier, python.at("x"), python.at("weights"));
  return {{"layers", layers ? classifier->network()->layers().size() : 0},
          {"obstacle", classifier->why_opaque()},
          {"output", relative(found.logits, python.at(layers ? "y64" : "y"))},
          {"float32", relative(classifier->logits(python.at("x")), python.at("y64"))},
          {"gradient", relative(found.gradient, python.at(layers ? "dx64" : "dx"))},
          {"seconds", taken.count()}};
}

}  // namespace
}  // namespace whence

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "compare_model FILE ANSWER.safetensors\n";
    return 2;
  }
  try {
    std::cout << whence::compared(argv[1], argv[2]).dump() << "\n";
    return 0;
  } catch (const std::exception& error) {
    std::cout << nlohmann::json{{"error", whence::sentence_of(error)}}.dump() << "\n";
    return 1;
  }
}
