#include "whence/models/zoo/zoo.h"

#include <cmath>

#include "support/errors.h"
#include "unit/nn/network_support.h"

namespace whence::models {
namespace {

using test::usage_error_of;

std::int64_t elements(const nn::Network& network, std::string_view layer) {
  std::int64_t count = 1;
  for (const std::int64_t size : network.layers()[network.find(layer)].shape) count *= size;
  return count;
}

TEST(BaseCnn, HasTheTextsLayers) {
  const nn::Network network = base_cnn({.classes = 3});
  EXPECT_EQ(network.parameter_count(), 320 + 18496 + 1179776 + 387);
  EXPECT_EQ(network.output_shape(), nn::Shape{3});
  EXPECT_EQ(elements(network, "flatten"), 9216);
  EXPECT_EQ(network.layers()[network.find("conv2")].shape, (nn::Shape{64, 24, 24}));
  EXPECT_EQ(std::get<nn::Dropout2d>(network.layers()[network.find("drop1")].op).probability, 0.25);
  const nn::Network elementwise = base_cnn({.classes = 3, .channel_dropout = false});
  EXPECT_EQ(std::get<nn::Dropout>(elementwise.layers()[elementwise.find("drop1")].op).probability, 0.5);
}

TEST(BaseCnn, TakesOtherImagesAndWidths) {
  const nn::Network network = base_cnn({.image = {3, 32, 32}, .classes = 10, .width = 8});
  EXPECT_EQ(elements(network, "flatten"), 16 * 14 * 14);
  EXPECT_EQ(network.forward(at::rand({2, 3, 32, 32})).sizes(), at::IntArrayRef({2, 10}));
  EXPECT_EQ(base_cnn({.image = {1, 6, 7}}).output_shape(), nn::Shape{2});
}

TEST(BaseCnn, RefusesWhatCannotBe) {
  EXPECT_EQ(
      usage_error_of([] {
        base_cnn({.image = {1, 5, 28}});
      }),
      "the base CNN needs images of shape channels x height x width and at least 6x6 pixels, not 1x5x28");
  EXPECT_EQ(usage_error_of([] { base_cnn({.classes = 0}); }),
            "the base CNN needs at least 1 class and width 1, not 0 and 32");
}

TEST(Cvae, HasTheTextsShapes) {
  const nn::Network encoder = cvae_encoder({}), decoder = cvae_decoder({});
  EXPECT_EQ(encoder.layers()[encoder.find("conv2")].shape, (nn::Shape{64, 7, 7}));
  EXPECT_EQ(encoder.layers()[encoder.find("pad")].shape, (nn::Shape{64, 10, 10}));
  EXPECT_EQ(elements(encoder, "flatten"), 3136);
  ASSERT_EQ(encoder.outputs().size(), 2U);
  EXPECT_EQ(encoder.layers()[encoder.outputs()[0]].name, "mean");
  EXPECT_EQ(encoder.layers()[encoder.outputs()[1]].name, "log_variance");
  EXPECT_EQ(encoder.output_shape(1), nn::Shape{6});
  EXPECT_EQ(decoder.layers()[decoder.find("conv1")].shape, (nn::Shape{64, 8, 8}));
  EXPECT_EQ(decoder.layers()[decoder.find("conv2")].shape, (nn::Shape{64, 14, 14}));
  EXPECT_EQ(decoder.output_shape(), (nn::Shape{1, 28, 28}));
}

TEST(Cvae, NormalisesAfterEveryConvolutionWhenAsked) {
  for (const nn::Network& network :
       {cvae_encoder({.batch_norm = true}), cvae_decoder({.batch_norm = true})}) {
    int norms = 0;
    for (const nn::Layer& layer : network.layers()) {
      if (!std::holds_alternative<nn::BatchNorm2d>(layer.op)) continue;
      const nn::Op& before = network.layers()[layer.inputs[0]].op;
      EXPECT_TRUE(std::holds_alternative<nn::Conv2d>(before) ||
                  std::holds_alternative<nn::ConvTranspose2d>(before));
      ++norms;
    }
    EXPECT_EQ(norms, 3) << network.name();
  }
}

TEST(Cvae, ClosesForEveryMultipleOfFour) {
  for (const nn::Shape& image : {nn::Shape{3, 32, 32}, nn::Shape{1, 4, 4}, nn::Shape{2, 12, 20}}) {
    const CvaeOptions options{.image = image, .latents = 5, .width = 4};
    const nn::Network encoder = cvae_encoder(options), decoder = cvae_decoder(options);
    EXPECT_EQ(elements(encoder, "flatten"), 4 * image[1] * image[2] / 16);
    EXPECT_EQ(decoder.output_shape(), image);
    const auto code = encoder.forward_all(at::rand({2, image[0], image[1], image[2]}));
    EXPECT_EQ(decoder.forward(code[0]).sizes().slice(1), at::IntArrayRef(image));
  }
}

TEST(Cvae, RefusesWhatCannotBe) {
  EXPECT_EQ(
      usage_error_of([] {
        cvae_encoder({.image = {1, 30, 28}});
      }),
      "the CVAE needs images of shape channels x height x width, the sides multiples of 4, not 1x30x28");
  EXPECT_EQ(usage_error_of([] { cvae_decoder({.latents = 0}); }),
            "the CVAE needs at least 1 latent and width 1, not 0 and 64");
  try {
    cvae_decoder({.image = {28, 28}});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
  }
}

}  // namespace
}  // namespace whence::models
