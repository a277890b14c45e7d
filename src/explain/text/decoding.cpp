#include "whence/explain/text/decoding.h"

#include <limits>

#include "whence/data/text/vocabulary.h"

namespace whence::text {
namespace {

using data::Vocabulary;

constexpr double kNever = -std::numeric_limits<float>::infinity();

/// Forbids the unknown word, the word before and, at the beginning, the end. logits: (N, V), changed.
void forbid(at::Tensor& logits, const at::Tensor& before, bool begins) {
  logits.select(1, Vocabulary::kUnknown).fill_(kNever);
  if (begins) {
    logits.select(1, Vocabulary::kEnd).fill_(kNever);
    return;
  }
  logits.scatter_(1, before.unsqueeze(1), kNever);
}

class GreedyDecoder : public models::Decoder {
 public:
  GreedyDecoder(const models::SentenceVae& vae, at::Tensor translation, std::int64_t longest)
      : vae_(vae), translation_(std::move(translation)), longest_(longest) {}

  at::Tensor decode(const at::Tensor& z) const override {
    const at::Tensor numbers = decode_greedily(vae_, z, longest_);
    return translation_.index_select(0, numbers.flatten()).view(numbers.sizes());
  }
  std::int64_t latents() const override { return vae_.shape().latents(); }

 private:
  models::SentenceVae vae_;  // shares its weights
  at::Tensor translation_;
  std::int64_t longest_;
};

}  // namespace

at::Tensor decode_greedily(const models::SentenceVae& vae, const at::Tensor& z, std::int64_t longest) {
  const at::NoGradGuard no_gradients;
  models::SentenceVae::Guidance guidance = vae.guidance(z);
  at::Tensor word = at::full({z.size(0)}, Vocabulary::kEnd, z.options().dtype(at::kLong));
  at::Tensor ended = at::zeros({z.size(0)}, z.options().dtype(at::kBool));
  std::vector<at::Tensor> words;
  for (std::int64_t t = 0; t < longest; ++t) {
    const at::Tensor query = vae.next_query(at::embedding(vae.embedding(), word), guidance);
    at::Tensor logits = at::linear(query, vae.embedding(), vae.bias());
    forbid(logits, word, t == 0);
    word = logits.argmax(1).masked_fill(ended, Vocabulary::kEnd);
    ended = ended.logical_or(word.eq(Vocabulary::kEnd));
    words.push_back(word);
  }
  return at::stack(words, 1);
}

RelaxedTexts decode_relaxed(const models::SentenceVae& vae, const at::Tensor& z,
                            const RelaxedDecoding& options, at::Generator& generator) {
  models::SentenceVae::Guidance guidance = vae.guidance(z);
  const std::int64_t count = std::min(options.candidates, vae.shape().words);
  at::Tensor word =
      at::full({z.size(0)}, Vocabulary::kEnd, z.options().dtype(at::kLong).requires_grad(false));
  at::Tensor ended = at::zeros_like(word, word.options().dtype(at::kBool));
  at::Tensor vector = at::embedding(vae.embedding(), word);
  std::vector<at::Tensor> candidates, shares, numbers;
  for (std::int64_t t = 0; t < options.longest; ++t) {
    const at::Tensor query = vae.next_query(vector, guidance);
    at::Tensor noisy;
    {
      const at::NoGradGuard no_gradients;
      noisy = at::linear(query, vae.embedding(), vae.bias());
      noisy.sub_(at::rand(noisy.sizes(), generator, noisy.options().requires_grad(false))
                     .clamp_(1e-9, 1 - 1e-7)
                     .log_()
                     .neg_()
                     .log_(),
                 options.noise);
      forbid(noisy, word, t == 0);
    }
    const auto [top, chosen] = noisy.topk(count, 1);  // the first is the word
    const at::Tensor table = vae.embedding().index_select(0, chosen.flatten()).view({z.size(0), count, -1});
    const at::Tensor clean = at::matmul(table, query.unsqueeze(2)).squeeze(2) +
                             vae.bias().index_select(0, chosen.flatten()).view_as(top);
    const at::Tensor logits =
        clean + (top - clean).detach();  // with the noise, but its gradient is that without
    const at::Tensor soft = at::softmax(logits.masked_fill(top.eq(kNever), kNever), 1);
    at::Tensor hard = at::zeros_like(soft, soft.options().requires_grad(false));
    hard.select(1, 0).fill_(1);
    const at::Tensor straight = hard + soft - soft.detach();
    vector = at::matmul(straight.unsqueeze(1), table).squeeze(1);
    word = chosen.select(1, 0).masked_fill(ended, Vocabulary::kEnd);
    ended = ended.logical_or(word.eq(Vocabulary::kEnd));
    candidates.push_back(chosen);
    shares.push_back(straight);
    numbers.push_back(word);
    if (ended.all().item<bool>()) break;
  }
  RelaxedTexts texts{at::stack(candidates, 1), at::stack(shares, 1), at::stack(numbers, 1), {}};
  texts.lengths = data::lengths_of(texts.numbers).clamp_min(1);
  return texts;
}

at::Tensor RelaxedTexts::vectors(const at::Tensor& table) const {
  const at::Tensor rows =
      table.index_select(0, candidates.flatten())
          .view({candidates.size(0), candidates.size(1), candidates.size(2), table.size(1)});
  return at::matmul(shares.unsqueeze(2), rows).squeeze(2);
}

std::unique_ptr<models::Decoder> as_decoder(const models::SentenceVae& vae, const at::Tensor& translation,
                                            std::int64_t longest) {
  return std::make_unique<GreedyDecoder>(vae, translation, longest);
}

}  // namespace whence::text
