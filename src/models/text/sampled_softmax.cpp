#include "models/text/sampled_softmax.h"

namespace whence::models {

Candidates draw_candidates(const at::Tensor& targets, std::int64_t words, std::int64_t sampled,
                           at::Generator& generator) {
  at::Tensor present = at::zeros({words}, targets.options().dtype(at::kBool));
  present.index_fill_(0, targets.flatten(), true);
  const at::Tensor own = present.nonzero().squeeze(1), rest = present.logical_not().nonzero().squeeze(1);
  const std::int64_t left = rest.size(0), drawn = std::min(sampled, left);
  const at::Tensor chosen = at::randperm(left, generator, targets.options()).narrow(0, 0, drawn);
  Candidates candidates;
  candidates.words = at::cat({own, rest.index_select(0, chosen)});
  candidates.correction = at::zeros({candidates.words.size(0)}, targets.options().dtype(at::kFloat));
  if (drawn > 0)
    candidates.correction.narrow(0, own.size(0), drawn)
        .fill_(std::log(static_cast<double>(left) / static_cast<double>(drawn)));
  candidates.place = at::zeros({words}, targets.options());
  candidates.place.index_copy_(0, candidates.words, at::arange(candidates.words.size(0), targets.options()));
  return candidates;
}

at::Tensor sampled_losses(const at::Tensor& queries, const at::Tensor& targets, const at::Tensor& embedding,
                          const at::Tensor& bias, const Candidates& candidates) {
  const at::Tensor table = embedding.index_select(0, candidates.words),
                   offset = bias.index_select(0, candidates.words) + candidates.correction;
  const at::Tensor logits = at::linear(queries.reshape({-1, queries.size(-1)}), table, offset);
  const at::Tensor place = candidates.place.index_select(0, targets.flatten());
  return at::nll_loss(at::log_softmax(logits, 1), place, {}, at::Reduction::None).view(targets.sizes());
}

}  // namespace whence::models
