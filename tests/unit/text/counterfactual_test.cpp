// Counterfactuals of texts with several alphas, on answers whose boundary is known.
#include "whence/explain/text/counterfactual.h"

#include <gtest/gtest.h>

#include "unit/text/toy.h"
#include "whence/explain/text/decoding.h"

namespace whence::text {
namespace {

using whence::test::toy;

models::SentenceVae vae_of(std::int64_t causal) {
  Generator generator = make_generator(4, "vae");
  models::SentenceVaeShape shape;
  shape.words = toy().words.size();
  shape.causal = causal;
  shape.noncausal = 2;
  shape.embedding = 8;
  shape.encoder_hidden = shape.guide = 8;
  shape.decoder_hidden = 16;
  models::SentenceVae vae(shape, generator);
  const at::NoGradGuard no_gradients;  // an untrained decoder says one word whatever the code is
  for (const nn::NamedTensor& own : vae.parameters().state()) {
    at::Tensor values = own.tensor;
    values.mul_(6);
  }
  return vae;
}

/// Class 1 where an even number of the text's words have an odd number.
at::Tensor answers(const at::Tensor& texts) {
  const at::Tensor even = texts.remainder(2).sum(1).remainder(2).eq(0).to(at::kFloat);
  return at::stack({1 - even, even}, 1);
}

class SeveralAlphas : public ::testing::TestWithParam<std::int64_t> {};

TEST_P(SeveralAlphas, MoveTogetherAndNoNearerPointOfAGridIsMissed) {
  const std::int64_t causal = GetParam();
  const models::SentenceVae vae = vae_of(causal);
  Generator generator = make_generator(2, "codes");
  int found = 0, oblique = 0;
  for (int i = 0; i < 12; ++i) {
    const at::Tensor z = 0.5 * at::randn({1, causal + 2}, generator);
    const auto answer_at = [&](const std::vector<double>& alpha) {
      at::Tensor moved = z.clone();
      for (std::int64_t k = 0; k < causal; ++k) moved[0][k] = alpha[static_cast<std::size_t>(k)];
      return answers(decode_greedily(vae, moved, 5)).argmax(1).item<std::int64_t>();
    };
    std::vector<double> own;
    for (std::int64_t k = 0; k < causal; ++k) own.push_back(z[0][k].item<double>());
    const auto change = nearest_change(vae, z, 5, answers, {.step = 0.1});
    if (!change) continue;
    ++found;
    ASSERT_EQ(change->alpha.size(), own.size());
    EXPECT_NE(answer_at(change->alpha), answer_at(own));
    EXPECT_EQ(change->answer.argmax().item<std::int64_t>(), answer_at(change->alpha));
    double squares = 0;
    int moved = 0;
    for (std::size_t k = 0; k < own.size(); ++k) {
      const double each = change->alpha[k] - own[k];
      squares += each * each;
      moved += std::abs(each) > 1e-6 ? 1 : 0;
    }
    oblique += moved > 1 ? 1 : 0;
    EXPECT_NEAR(change->distance, std::sqrt(squares), 1e-9);
    // No alpha alone changes the answer at a smaller multiple of the step: the axes are among the rays.
    for (std::size_t k = 0; k < own.size(); ++k)
      for (double distance = 0.1; distance < change->distance - 0.05; distance += 0.1)
        for (const double sign : {1.0, -1.0}) {
          std::vector<double> other = own;
          other[k] += sign * distance;
          EXPECT_EQ(answer_at(other), answer_at(own)) << distance;
        }
  }
  EXPECT_GT(found, 4);
  if (causal > 1) {
    EXPECT_GT(oblique, 0) << "no move needs two alphas";
  }
}
INSTANTIATE_TEST_SUITE_P(Alphas, SeveralAlphas, ::testing::Values(1, 2, 3));

}  // namespace
}  // namespace whence::text
