#include "whence/explain/text/decoding.h"

#include <gtest/gtest.h>

#include "unit/text/toy.h"
#include "whence/models/text/language_model.h"

namespace whence::text {
namespace {

using whence::test::toy;
using whence::test::toy_vae;

/// Codes at which an untrained decoder says several things.
at::Tensor codes(std::int64_t count, std::int64_t latents) {
  Generator generator = make_generator(7, "codes");
  return 3 * at::randn({count, latents}, generator);
}

TEST(TextDecoding, IsGreedyWithoutRepeatingAWord) {
  const models::SentenceVae vae = toy_vae(toy());
  const at::Tensor numbers = decode_greedily(vae, codes(20, 4), 6);
  ASSERT_EQ(numbers.sizes(), (at::IntArrayRef{20, 6}));
  EXPECT_TRUE(numbers.select(1, 0).ne(data::Vocabulary::kEnd).all().item<bool>());
  EXPECT_TRUE(numbers.ne(data::Vocabulary::kUnknown).all().item<bool>());
  const at::Tensor before = numbers.narrow(1, 0, 5), after = numbers.narrow(1, 1, 5);
  EXPECT_TRUE(before.ne(after).logical_or(after.eq(0)).all().item<bool>());
  EXPECT_TRUE(before.ne(0).logical_or(after.eq(0)).all().item<bool>());  // nothing behind an end
  // Word for word, the most probable of those allowed, by the queries of all words at once.
  const at::Tensor vectors = at::embedding(vae.embedding(), models::with_begin(numbers).narrow(1, 0, 6));
  const at::Tensor logits =
      at::linear(vae.queries(vectors, vae.guidance(codes(20, 4))), vae.embedding(), vae.bias());
  for (std::int64_t t = 1; t < 6; ++t) {
    at::Tensor allowed = logits.select(1, t).detach().clone();
    allowed.select(1, data::Vocabulary::kUnknown).fill_(-1e9);
    allowed.scatter_(1, numbers.select(1, t - 1).unsqueeze(1), -1e9);
    const at::Tensor going = numbers.select(1, t - 1).ne(0);
    EXPECT_TRUE(allowed.argmax(1).eq(numbers.select(1, t)).logical_or(going.logical_not()).all().item<bool>())
        << t;
  }
}

TEST(RelaxedTextDecoding, SeesHardWordsAndGradientsOfSoftOnes) {
  const models::SentenceVae vae = toy_vae(toy());
  const at::Tensor z = codes(5, 4);
  Generator generator = make_generator(8, "noise");
  const RelaxedDecoding options{.candidates = 4, .noise = 0, .longest = 6};
  const RelaxedTexts relaxed = decode_relaxed(vae, z, options, generator);
  const std::int64_t longest = relaxed.numbers.size(1);
  EXPECT_TRUE(relaxed.numbers.equal(decode_greedily(vae, z, 6).narrow(1, 0, longest)));
  const at::Tensor table = at::randn({toy().words.size(), 3}, generator);
  const at::Tensor hard = at::embedding(table, relaxed.numbers);
  const at::Tensor going = relaxed.numbers.ne(0).unsqueeze(2);
  EXPECT_TRUE((relaxed.vectors(table) * going).allclose(hard * going, 1e-5, 1e-6));

  // The first word: gradients of the softmax over its candidates.
  const at::Tensor weight = at::randn({3}, generator);
  const at::Tensor bias = vae.bias();
  const at::Tensor loss = relaxed.vectors(table).select(1, 0).mv(weight).sum();
  const at::Tensor found = torch::autograd::grad({loss}, {bias}).front();
  models::SentenceVae::Guidance guidance = vae.guidance(z);
  const at::Tensor begin = at::zeros({5}, at::kLong);
  const at::Tensor query = vae.next_query(at::embedding(vae.embedding(), begin), guidance);
  const at::Tensor chosen = relaxed.candidates.select(1, 0);
  const at::Tensor logits = at::linear(query, vae.embedding(), bias).gather(1, chosen);
  const at::Tensor soft = (at::softmax(logits, 1).unsqueeze(2) * at::embedding(table, chosen)).sum(1);
  const at::Tensor expected = torch::autograd::grad({soft.mv(weight).sum()}, {bias}).front();
  EXPECT_GT(expected.abs().max().item<float>(), 1e-4);
  EXPECT_TRUE(found.allclose(expected, 1e-4, 1e-6));
}

}  // namespace
}  // namespace whence::text
