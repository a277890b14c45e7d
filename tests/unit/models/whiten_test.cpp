// The change of basis against linear algebra on the codes themselves.
#include "whence/models/train/whiten.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "whence/core/random.h"
#include "whence/models/train/vae.h"
#include "whence/models/zoo/zoo.h"

namespace whence::models {
namespace {

constexpr std::int64_t kLatents = 4, kImages = 600;

/// Images of unequal brightness and slope, so that the codes of a new encoder are correlated and not centred.
data::Dataset slopes() {
  Generator generator = make_generator(7, "whiten-test");
  const at::Tensor light = at::rand({kImages, 1, 1, 1}, generator),
                   slope = at::rand({kImages, 1, 1, 1}, generator);
  const at::Tensor ramp = at::linspace(0, 1, 8, at::TensorOptions(at::kFloat)).view({1, 1, 1, 8});
  const at::Tensor images = 0.5 * light + 0.4 * slope * ramp + 0.1 * at::rand({kImages, 1, 8, 8}, generator);
  return {(images * 255).to(at::kByte), at::zeros({kImages}, at::kLong), {"only"}};
}

class Whiten : public ::testing::Test {
 protected:
  Whiten() {
    initialise_autoencoder(encoder_, decoder_, InitialWeights::he, 1);
    before_ = codes();
    reconstructions_ = decoder_.forward(before_[0]);
  }
  std::vector<at::Tensor> codes() const {
    const at::NoGradGuard no_gradients;
    return encoder_.forward_all(data::to_float(images_, 0, kImages));
  }
  static at::Tensor centred(const at::Tensor& codes) {
    const at::Tensor exact = codes.to(at::kDouble);
    return exact - exact.mean(0);
  }
  at::Tensor parameter(const std::string& name) const {
    for (const nn::NamedTensor& entry : encoder_.parameters())
      if (entry.name == name) return entry.tensor.detach();
    return {};
  }

  data::Dataset images_ = slopes();
  CvaeOptions options_{.image = {1, 8, 8}, .latents = kLatents, .width = 4};
  nn::Network encoder_ = cvae_encoder(options_), decoder_ = cvae_decoder(options_);
  std::vector<at::Tensor> before_;
  at::Tensor reconstructions_;
};

TEST_F(Whiten, CodesHaveThePriorsMomentsAndImagesStay) {
  const at::NoGradGuard no_gradients;
  const at::Tensor variance = before_[1].exp().mean(0).to(at::kDouble);
  const at::Tensor old = centred(before_[0]);
  const at::Tensor identity = at::eye(kLatents, old.options());
  ASSERT_FALSE((old.t().mm(old) / kImages + at::diag(variance)).allclose(identity, 0.1, 0.1));
  whiten_codes(encoder_, decoder_, images_);
  const std::vector<at::Tensor> after = codes();
  EXPECT_TRUE(decoder_.forward(after[0]).allclose(reconstructions_, 1e-4, 1e-5));
  // The basis that was taken, from the codes alone.
  const at::Tensor now = centred(after[0]);
  EXPECT_LT(after[0].mean(0).abs().max().item<double>(), 1e-4);
  const at::Tensor basis = at::linalg_pinv(old).mm(now).t();
  EXPECT_TRUE(old.mm(basis.t()).allclose(now, 1e-3, 1e-4)) << "one linear map for all images";
  const at::Tensor posterior = (basis * variance.unsqueeze(0)).mm(basis.t());
  EXPECT_TRUE((now.t().mm(now) / kImages + posterior).allclose(identity, 1e-3, 1e-3));
  EXPECT_TRUE(posterior.allclose(at::diag(posterior.diagonal()), 1e-3, 1e-3)) << "diagonal";
  EXPECT_TRUE(posterior.diagonal().diff().ge(0).all().item<bool>()) << "what tells most comes first";
  // The variances of single images, to first order.
  const at::Tensor wanted = before_[1].to(at::kDouble).exp().mm(basis.square().t());
  EXPECT_LT((after[1].to(at::kDouble) - wanted.log()).abs().mean().item<double>(), 0.02);
}

TEST_F(Whiten, EqualVariancesAreExact) {
  const at::NoGradGuard no_gradients;
  parameter("log_variance.weight").zero_();
  parameter("log_variance.bias").copy_(at::tensor({-3.0, -1.0, -2.0, -0.5}).to(at::kFloat));
  const at::Tensor variance = parameter("log_variance.bias").exp().to(at::kDouble);
  whiten_codes(encoder_, decoder_, images_);
  const at::Tensor basis = at::linalg_pinv(centred(before_[0])).mm(centred(codes()[0])).t();
  EXPECT_TRUE(codes()[1][5].to(at::kDouble).exp().allclose(basis.square().mv(variance), 1e-3, 1e-4));
}

TEST(WhitenErrors, OtherEndsThanLinearOnes) {
  const AutoencoderShape shape{.image = {3, 16, 16}, .latents = 5, .width = 8};
  const nn::Network encoder = linear_path_encoder(shape), decoder = linear_path_decoder(shape);
  test::expect_error([&] { check_whitening(encoder, decoder, "generator.whiten"); },
                     {"generator.whiten needs an encoder that ends in linear layers", "linear-path-encoder"},
                     ExitCode::usage);
}

}  // namespace
}  // namespace whence::models
