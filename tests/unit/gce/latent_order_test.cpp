#include "whence/explain/gce/latent_order.h"

#include <gtest/gtest.h>

#include <set>

#include "support/errors.h"
#include "unit/gce/toy_models.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/models/zoo/zoo.h"

namespace whence::gce {
namespace {

/// Seen from outside, only the names of the latents change.
void expect_other_names_only(nn::Network encoder, nn::Network decoder) {
  Generator generator = make_generator(1, "order");
  nn::initialise(encoder, {.keeps_size = true}, generator);
  nn::initialise(decoder, {.keeps_size = true}, generator);
  const at::Tensor images = at::rand({5, 3, 16, 16}, generator), codes = at::randn({5, 4}, generator);
  const std::vector<at::Tensor> before = encoder.forward_all(images, {});
  const at::Tensor decoded = decoder.forward(codes, {});

  const std::vector<std::int64_t> order = {2, 0, 3, 1};
  reorder_latents(encoder, decoder, order);
  const at::Tensor rows = at::tensor(order, at::kLong);
  const std::vector<at::Tensor> after = encoder.forward_all(images, {});
  for (std::size_t head = 0; head < 2; ++head) {
    EXPECT_TRUE(at::allclose(after[head], before[head].index_select(1, rows), 1e-5, 1e-6));
    EXPECT_FALSE(at::allclose(after[head], before[head], 1e-2, 1e-3));
  }
  EXPECT_TRUE(at::allclose(decoder.forward(codes.index_select(1, rows), {}), decoded, 1e-4, 1e-5));
}

TEST(ReorderLatents, KeepsWhatEncoderAndDecoderDo) {
  const models::AutoencoderShape shape{.image = {3, 16, 16}, .latents = 4, .width = 16};
  expect_other_names_only(models::cifar_cvae_encoder(shape), models::cifar_cvae_decoder(shape));
  expect_other_names_only(models::linear_path_encoder(shape), models::linear_path_decoder(shape));
  EXPECT_EQ(models::linear_path_decoder({.image = {1, 28, 28}, .latents = 2}).layers().back().shape,
            (nn::Shape{1, 28, 28}));
}

TEST(ReorderLatents, RefusesADecoderWithoutALinearLayerAtItsBegin) {
  nn::Network encoder = models::cvae_encoder({.image = {1, 8, 8}, .latents = 2, .width = 4});
  nn::Network decoder("odd", {2});
  decoder.add("relu", nn::Relu{});
  decoder.add("fc", nn::Linear{64});
  test::expect_error([&] { reorder_latents(encoder, decoder, {1, 0}); }, {"relu is not"}, ExitCode::usage);
  test::expect_error([&] { check_reordering(encoder, decoder); }, {"relu is not"}, ExitCode::usage);
}

/// The toy's classifier sees the first latent alone; here that one comes last.
class LastFirst : public models::Decoder {
 public:
  at::Tensor decode(const at::Tensor& z) const override { return toy_.decode(z.flip(1)); }
  std::int64_t latents() const override { return toy_.latents(); }

 private:
  toy::Decoder toy_;
};

TEST(OrderByFlow, PutsTheLatentFirstThatMovesTheClassifier) {
  EXPECT_EQ(order_by_flow(toy::Decoder(), toy::first_pixel(1.5), 1).front(), 0);
  const std::vector<std::int64_t> order = order_by_flow(LastFirst(), toy::first_pixel(1.5), 1);
  EXPECT_EQ(order.front(), 2);
  EXPECT_EQ(std::set<std::int64_t>(order.begin(), order.end()), (std::set<std::int64_t>{0, 1, 2}));
}

}  // namespace
}  // namespace whence::gce
