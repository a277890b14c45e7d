#include "whence/models/text/classifier.h"

#include <limits>

#include "whence/platform/interrupt.h"

namespace whence::models {
namespace {

constexpr std::int64_t kFilters = 32, kBlocks = 3;

/// 1 where a word stands, (N, T, 1).
at::Tensor mask_of(const at::Tensor& lengths, std::int64_t longest) {
  return at::arange(longest, lengths.options()).unsqueeze(0).lt(lengths.unsqueeze(1)).unsqueeze(2);
}

at::Tensor dropped(const at::Tensor& x, double share, at::Generator* generator) {
  if (generator == nullptr || share == 0) return x;
  return x *
         (at::rand(x.sizes(), *generator, x.options().requires_grad(false)).ge(share).to(x.scalar_type()) /
          (1 - share));
}

/// The frozen network in its role.
class FrozenTextClassifier : public TextClassifier {
 public:
  explicit FrozenTextClassifier(TextClassifierNetwork network) : network_(std::move(network)) {
    network_.parameters().freeze();
  }
  std::int64_t classes() const override { return network_.shape().classes; }
  const at::Tensor& embedding() const override { return network_.embedding(); }
  at::Tensor logits_of(const at::Tensor& vectors, const at::Tensor& numbers) const override {
    return network_.logits_of(vectors, data::lengths_of(numbers).clamp_min(1));
  }

 private:
  TextClassifierNetwork network_;
};

}  // namespace

at::Tensor TextClassifier::logits(const at::Tensor& x) const {
  if (x.dim() == 2) return logits_of(at::embedding(embedding(), x), x);
  return logits_of(at::matmul(x, embedding()), x.argmax(2));
}

TextClassifierNetwork::TextClassifierNetwork(const TextClassifierShape& shape, const at::Tensor& embedding,
                                             at::Generator& generator)
    : shape_(shape),
      parameters_("text_classifier"),
      embedding_(parameters_.add("embedding.weight", embedding)),
      recurrent_(parameters_, "recurrent",
                 shape.architecture == TextArchitecture::bigru ? Cell::gru : Cell::lstm, shape.embedding,
                 shape.hidden, true, generator) {
  TORCH_CHECK(embedding.size(0) == shape.words && embedding.size(1) == shape.embedding,
              "word vectors do not fit");
  std::int64_t features = 2 * recurrent_.width();
  if (shape.architecture == TextArchitecture::bilstm_convolutions) {
    std::int64_t channels = recurrent_.width();
    for (std::int64_t i = 0; i < kBlocks; ++i) {
      const Linear flat(parameters_, fmt::format("convolution_{}", i + 1), channels * 3, kFilters, generator);
      convolutions_.emplace_back(flat.weight, flat.bias);
      channels = kFilters;
    }
    features = kFilters;
  }
  output_.emplace(parameters_, "output", features, shape.classes, generator);
}

/// Behind the end everything is zero before each convolution, so that a text's answer does not depend on how far its row is filled up.
at::Tensor TextClassifierNetwork::convolved(at::Tensor outputs, at::Tensor lengths) const {
  at::Tensor x = outputs.transpose(1, 2);
  for (const auto& [weight, bias] : convolutions_) {
    const at::Tensor kernel = weight.view({kFilters, -1, 3});
    x = at::relu(at::conv1d(x, kernel, bias, 1, 1)) * mask_of(lengths, x.size(2)).transpose(1, 2);
    x = at::max_pool1d(x, 2, 2, 0, 1, /*ceil_mode=*/true);
    lengths = at::div(lengths + 1, 2, "floor");
  }
  return x.amax(2);
}

at::Tensor TextClassifierNetwork::logits_of(const at::Tensor& vectors, const at::Tensor& lengths,
                                            double share, at::Generator* dropout) const {
  const at::Tensor outputs = recurrent_.run(dropped(vectors, share, dropout), lengths).outputs;
  at::Tensor features;
  if (shape_.architecture == TextArchitecture::bilstm_convolutions) {
    features = convolved(outputs, lengths);
  } else {
    const at::Tensor mask = mask_of(lengths, outputs.size(1));
    const at::Tensor largest =
        outputs.masked_fill(mask.logical_not(), -std::numeric_limits<float>::infinity()).amax(1);
    const at::Tensor mean = (outputs * mask).sum(1) / lengths.unsqueeze(1);
    features = at::cat({largest, mean}, 1);
  }
  return (*output_)(dropped(features, share, dropout));
}

std::unique_ptr<TextClassifier> as_text_classifier(TextClassifierNetwork network) {
  return std::make_unique<FrozenTextClassifier>(std::move(network));
}

at::Tensor text_probabilities(const Classifier& classifier, const at::Tensor& numbers) {
  constexpr std::int64_t at_once = 500;
  const at::NoGradGuard no_gradients;
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : numbers.split(at_once)) {
    throw_if_interrupted();
    parts.push_back(at::softmax(classifier.logits(part), 1));
  }
  return at::cat(parts);
}

double text_accuracy(const Classifier& classifier, const data::Vocabulary& vocabulary,
                     const data::TextSet& texts) {
  std::vector<data::Words> words;
  for (const data::LabelledText& text : texts.texts) words.push_back(text.words);
  const at::Tensor answers = text_probabilities(classifier, to_numbers(vocabulary, words)).argmax(1);
  return answers.eq(texts.labels()).to(at::kDouble).mean().item<double>();
}

}  // namespace whence::models
