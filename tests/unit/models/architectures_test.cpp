// The texts' other architectures; python_zoo_test compares what they compute.
#include "whence/models/architectures.h"

#include <torch/csrc/autograd/autograd.h>

#include <set>

#include "support/errors.h"
#include "support/files.h"
#include "unit/nn/network_support.h"
#include "whence/interchange/torchscript.h"

namespace whence::models {
namespace {

using test::usage_error_of;

nn::Shape shape_of(const nn::Network& network, std::string_view layer) {
  return network.layers()[network.find(layer)].shape;
}

TEST(SmallResnet, KeepsTheMapsSizeAndAddsItsInput) {
  const nn::Network network = small_resnet({.image = {1, 28, 28}, .classes = 3});
  EXPECT_EQ(shape_of(network, "block3_relu"), (nn::Shape{16, 28, 28}));
  const nn::Layer& sum = network.layers()[network.find("block2_sum")];
  EXPECT_EQ(sum.inputs,
            (std::vector<nn::LayerId>{network.find("block2_conv2_norm"), network.find("block1_relu")}));
  EXPECT_EQ(network.output_shape(), nn::Shape{3});
}

TEST(SmallDensenet, GrowsByItsGrowthRate) {
  const nn::Network network = small_densenet({.image = {3, 9, 8}, .width = 5});
  EXPECT_EQ(shape_of(network, "conv"), (nn::Shape{10, 9, 8}));
  EXPECT_EQ(shape_of(network, "dense1"), (nn::Shape{15, 9, 8}));
  EXPECT_EQ(shape_of(network, "dense3"), (nn::Shape{25, 9, 8}));
  EXPECT_EQ(shape_of(network, "transition_pool"), (nn::Shape{12, 4, 4}));
}

TEST(SmallInception, ItsBranchesHaveTheBlocksChannelsTogether) {
  const nn::Network network = small_inception({});
  EXPECT_EQ(shape_of(network, "one"), (nn::Shape{16, 28, 28}));
  EXPECT_EQ(shape_of(network, "three"), (nn::Shape{32, 28, 28}));
  EXPECT_EQ(shape_of(network, "five"), (nn::Shape{8, 28, 28}));
  EXPECT_EQ(shape_of(network, "max_conv"), (nn::Shape{8, 28, 28}));
  EXPECT_EQ(shape_of(network, "branches"), (nn::Shape{64, 28, 28}));
}

TEST(MeanIntensity, SeesNothingButTheMean) {
  nn::Network network = mean_intensity({.image = {3, 4, 5}, .classes = 2});
  Generator generator = make_generator(3, "test");
  nn::initialise(network, {}, generator);
  const at::Tensor x = at::rand({2, 3, 4, 5}, generator).contiguous(at::MemoryFormat::ChannelsLast);
  const nn::NamedTensors weights = network.parameters();
  const at::Tensor expected = at::outer(x.mean({1, 2, 3}), weights[0].tensor.squeeze(1)) + weights[1].tensor;
  EXPECT_LT((network.forward(x) - expected).abs().max().item<double>(), 1e-6);
}

TEST(Vgg11, HasElevenLayersWithWeightsAndEndsAtOnePixel) {
  const nn::Network network = vgg11({.image = {3, 32, 32}, .classes = 10});
  int weighted = 0;
  for (const nn::Layer& layer : network.layers()) {
    weighted += std::holds_alternative<nn::Conv2d>(layer.op) || std::holds_alternative<nn::Linear>(layer.op);
  }
  EXPECT_EQ(weighted, 11);
  EXPECT_EQ(shape_of(network, "pool8"), (nn::Shape{512, 1, 1}));
  EXPECT_EQ(network.output_shape(), nn::Shape{10});
  EXPECT_EQ(shape_of(vgg11({.image = {1, 64, 64}, .width = 2}), "pool8"), (nn::Shape{16, 2, 2}));
}

TEST(CifarCvae, ClosesAsItsHeaderSays) {
  const nn::Network encoder = cifar_cvae_encoder({}), decoder = cifar_cvae_decoder({});
  const std::int64_t sides[] = {16, 16, 8, 7, 3};
  for (int i = 0; i < 5; ++i) EXPECT_EQ(shape_of(encoder, fmt::format("conv{}", i + 1))[1], sides[i]);
  EXPECT_EQ(shape_of(encoder, "flatten"), nn::Shape{2304});
  EXPECT_EQ(shape_of(decoder, "fc2"), nn::Shape{2 * 16 * 256});
  const std::int64_t grown[] = {8, 8, 16, 16, 32};
  for (int i = 0; i < 5; ++i) EXPECT_EQ(shape_of(decoder, fmt::format("conv{}", i + 1))[1], grown[i]);
  EXPECT_EQ(decoder.output_shape(), (nn::Shape{3, 32, 32}));
}

/// The table's rows: channels of the maps, from the coarsest one on.
TEST(Besserve, HasTheTablesMaps) {
  const auto maps = [](const nn::Network& decoder) {
    std::vector<nn::Shape> shapes = {shape_of(decoder, "reshape")};
    for (const nn::Layer& layer : decoder.layers())
      if (layer.name.starts_with("conv")) shapes.push_back(layer.shape);
    return shapes;
  };
  using Maps = std::vector<nn::Shape>;
  const AutoencoderShape faces{.image = {3, 64, 64}, .latents = 128}, cifar{.latents = 150};
  EXPECT_EQ(maps(beta_vae_decoder(faces)),
            (Maps{{64, 4, 4}, {64, 8, 8}, {32, 16, 16}, {16, 32, 32}, {3, 64, 64}}));
  EXPECT_EQ(maps(dcgan_decoder(faces)),
            (Maps{{128, 4, 4}, {64, 8, 8}, {32, 16, 16}, {16, 32, 32}, {3, 64, 64}}));
  EXPECT_EQ(maps(upsampling_decoder(faces)), maps(dcgan_decoder(faces)));
  const Maps small = {{64, 4, 4}, {32, 8, 8}, {16, 16, 16}, {3, 32, 32}};
  EXPECT_EQ(maps(beta_vae_decoder(cifar)), small);
  EXPECT_EQ(maps(dcgan_decoder(cifar)), small);
  EXPECT_EQ(shape_of(dcgan_encoder(faces), "flatten"), nn::Shape{128 * 4 * 4});
}

TEST(Discriminator, HalvesImagesToOneScore) {
  const nn::Network network = dcgan_discriminator({});
  EXPECT_EQ(shape_of(network, "conv1"), (nn::Shape{32, 32, 32}));
  EXPECT_EQ(shape_of(network, "conv4"), (nn::Shape{256, 4, 4}));
  EXPECT_EQ(network.output_shape(), nn::Shape{1});
  EXPECT_TRUE(network.mixes_samples());
  EXPECT_FALSE(dcgan_discriminator({.image = {1, 28, 28}, .batch_norm = false}).mixes_samples());
  EXPECT_EQ(usage_error_of([] {
              dcgan_discriminator({.image = {3, 33, 32}});
            }),
            "the discriminator needs images of shape channels x height x width with sides of 8, 10, 12, ... "
            "pixels, not 3x33x32");
}

TEST(Parafita, FlattensToTheListingsSizes) {
  using enum ParafitaSet;
  EXPECT_EQ(shape_of(parafita_cnn(mnist, {}), "flatten"), nn::Shape{64 * 6 * 6});
  EXPECT_EQ(shape_of(parafita_cnn(fashion_mnist, {}), "flatten"), nn::Shape{128 * 6 * 6});
  EXPECT_EQ(shape_of(parafita_cnn(cifar10, {.image = {3, 32, 32}}), "flatten"), nn::Shape{256 * 3 * 3});
  const nn::Shape grey = {1, 28, 28};
  EXPECT_EQ(shape_of(parafita_encoder(mnist, {.image = grey}), "flatten"), nn::Shape{64 * 6 * 6});
  EXPECT_EQ(shape_of(parafita_encoder(fashion_mnist, {.image = grey}), "flatten"), nn::Shape{256 * 4 * 4});
  EXPECT_EQ(shape_of(parafita_encoder(cifar10, {}), "flatten"), nn::Shape{256 * 2 * 2});
}

/// Images of the least size, of the next and of a third one, in one row an architecture.
TEST(Autoencoders, CloseForEverySizeTheyTake) {
  const struct {
    std::string_view name;
    std::int64_t least, step;
  } rows[] = {{"cvae", 4, 4},
              {"cvae-bn", 4, 4},
              {"cifar-cvae", 16, 8},
              {"parafita-mnist", 13, 3},
              {"parafita-fashion", 19, 3},
              {"parafita-cifar", 26, 6},
              {"beta-vae", 8, 2},
              {"dcgan", 8, 2},
              {"dcgan-upsampling", 8, 2},
              {"linear-path", 8, 8}};
  ASSERT_EQ(std::size(rows), autoencoder_architectures().size());
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    const AutoencoderArchitecture& architecture = autoencoder_architectures()[i];
    ASSERT_EQ(architecture.name, rows[i].name);
    SCOPED_TRACE(architecture.name);
    for (const std::int64_t more : {0, 1, 3}) {
      const nn::Shape image = {2, rows[i].least + more * rows[i].step, rows[i].least + rows[i].step};
      const AutoencoderShape shape{.image = image, .latents = 5, .width = 2};
      const nn::Network encoder = architecture.encoder(shape), decoder = architecture.decoder(shape);
      ASSERT_EQ(encoder.outputs().size(), 2U);
      EXPECT_EQ(encoder.output_shape(0), nn::Shape{5});
      EXPECT_EQ(encoder.output_shape(1), nn::Shape{5});
      EXPECT_EQ(decoder.output_shape(), image);
    }
    for (const std::int64_t side : {rows[i].least - 1, rows[i].least + 1}) {
      const AutoencoderShape shape{.image = {1, side, rows[i].least}, .latents = 5, .width = 2};
      EXPECT_THROW(architecture.encoder(shape), Error) << side;
      EXPECT_THROW(architecture.decoder(shape), Error) << side;
    }
  }
}

TEST(Parafita, AutoencodersWithoutDropoutAreOtherwiseTheSame) {
  const auto drops = [](const nn::Network& network) {
    return std::count_if(network.layers().begin(), network.layers().end(), [](const nn::Layer& layer) {
      return std::holds_alternative<nn::Dropout>(layer.op);
    });
  };
  for (const ParafitaSet set : {ParafitaSet::mnist, ParafitaSet::fashion_mnist, ParafitaSet::cifar10}) {
    const nn::Shape image = set == ParafitaSet::cifar10 ? nn::Shape{3, 32, 32} : nn::Shape{1, 28, 28};
    const AutoencoderShape shape{.image = image, .latents = 5, .width = 2};
    AutoencoderShape without = shape;
    without.dropout = 0;
    for (const auto& make : {parafita_encoder, parafita_decoder}) {
      const nn::Network listed = make(set, shape), plain = make(set, without);
      EXPECT_EQ(drops(listed), 1);
      EXPECT_EQ(drops(plain), 0);
      ASSERT_EQ(plain.parameter_count(), listed.parameter_count());
      for (std::size_t i = 0; i < listed.parameters().size(); ++i)
        EXPECT_EQ(plain.parameters()[i].name, listed.parameters()[i].name);
    }
  }
}

TEST(Architectures, HaveNamesOfTheirOwnAndTheStatedWidth) {
  std::set<std::string_view> names;
  for (const ClassifierArchitecture& architecture : classifier_architectures()) {
    EXPECT_TRUE(names.insert(architecture.name).second);
    const ClassifierRequest request{.image = {1, 34, 34}, .classes = 3};
    ClassifierRequest stated = request;
    stated.width = architecture.width;
    EXPECT_EQ(architecture.make(request).parameter_count(), architecture.make(stated).parameter_count())
        << architecture.name;
  }
  names.clear();
  for (const AutoencoderArchitecture& architecture : autoencoder_architectures()) {
    EXPECT_TRUE(names.insert(architecture.name).second);
    const nn::Shape image = architecture.name == "parafita-mnist" || architecture.name == "parafita-fashion"
                                ? nn::Shape{1, 28, 28}
                                : nn::Shape{3, 32, 32};
    const AutoencoderShape request{.image = image, .latents = 4};
    const AutoencoderShape stated{.image = image, .latents = 4, .width = architecture.width};
    EXPECT_EQ(architecture.encoder(request).parameter_count(),
              architecture.encoder(stated).parameter_count());
    EXPECT_EQ(architecture.decoder(request).parameter_count(),
              architecture.decoder(stated).parameter_count());
  }
}

/// In training, in both number formats: no weight that the loss does not reach, nothing infinite.
TEST(Architectures, EveryWeightLearns) {
  for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
    for (const ClassifierArchitecture& architecture : classifier_architectures()) {
      SCOPED_TRACE(architecture.name);
      nn::Network network = architecture.make({.image = {3, 32, 32}, .classes = 3, .width = 8});
      Generator generator = make_generator(1, "test");
      nn::initialise(network, {}, generator);
      network.require_gradients(true);
      const at::Tensor x = at::rand({6, 3, 32, 32}, generator);
      Generator dropout = make_generator(2, "test");
      const at::Tensor logits = network.forward(x, {precision, true, &dropout});
      const at::Tensor loss = at::cross_entropy_loss(logits, at::arange(6) % 3);
      loss.backward();
      EXPECT_TRUE(std::isfinite(loss.item<double>()));
      for (const nn::NamedTensor& parameter : network.parameters()) {
        if (parameter.tensor.dim() < 2) continue;
        const double largest = parameter.tensor.grad().abs().max().item<double>();
        EXPECT_TRUE(std::isfinite(largest) && largest > 0) << parameter.name << " " << largest;
      }
    }
  }
}

/// Out to TorchScript and back, layer by layer.
void expect_the_same_after_translation(nn::Network network) {
  SCOPED_TRACE(network.name());
  const test::TemporaryFolder folder;
  Generator generator = make_generator(4, "test");
  nn::initialise(network, {}, generator);
  nn::export_torchscript(network, folder / "m.pt");
  std::string obstacle;
  const std::optional<nn::Network> back =
      nn::ScriptModule(folder / "m.pt").translate(network.input_shape(), &obstacle);
  if (!back) FAIL() << obstacle;
  nn::Shape batch = {3};
  batch.insert(batch.end(), network.input_shape().begin(), network.input_shape().end());
  const at::Tensor x = at::rand(batch, generator);
  const std::vector<at::Tensor> expected = network.forward_all(x), found = back->forward_all(x);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_LT((found[i] - expected[i]).abs().max().item<double>(),
              1e-5 * std::max(1.0, expected[i].abs().max().item<double>()));
  }
  EXPECT_EQ(back->parameter_count(), network.parameter_count());
}

TEST(Architectures, CrossToTorchscriptAndBack) {
  for (const ClassifierArchitecture& architecture : classifier_architectures()) {
    expect_the_same_after_translation(architecture.make({.image = {3, 32, 32}, .classes = 3, .width = 8}));
  }
  for (const AutoencoderArchitecture& architecture : autoencoder_architectures()) {
    const bool grey = architecture.name == "parafita-mnist" || architecture.name == "parafita-fashion";
    const AutoencoderShape shape{
        .image = grey ? nn::Shape{1, 28, 28} : nn::Shape{3, 32, 32}, .latents = 4, .width = 4};
    expect_the_same_after_translation(architecture.encoder(shape));
    expect_the_same_after_translation(architecture.decoder(shape));
  }
}

TEST(Architectures, SayWhatDoesNotFit) {
  const auto image_error = [](const char* which, const nn::Shape& image) {
    for (const ClassifierArchitecture& architecture : classifier_architectures()) {
      if (architecture.name == which) return usage_error_of([&] { architecture.make({.image = image}); });
    }
    return std::string("no such architecture");
  };
  EXPECT_EQ(image_error("vgg11", {1, 28, 28}),
            "VGG-11 needs images of shape channels x height x width with sides of at least 32 pixels, not "
            "1x28x28");
  EXPECT_EQ(
      image_error("parafita-cifar", {3, 23, 32}),
      "CNN of Parafita 2018 for CIFAR-10 needs images of shape channels x height x width with sides of at "
      "least 24 pixels, not 3x23x32");
  EXPECT_EQ(image_error("resnet", {28, 28}),
            "the small ResNet needs images of shape channels x height x width with sides of at least 1 "
            "pixels, not 28x28");
  EXPECT_EQ(
      usage_error_of([] {
        parafita_encoder(ParafitaSet::fashion_mnist, {.image = {1, 32, 32}});
      }),
      "VAE of Parafita 2018 for FashionMNIST needs images of shape channels x height x width with sides of "
      "19, 22, 25, ... pixels, not 1x32x32");
  EXPECT_EQ(usage_error_of([] { small_inception({.width = 12}); }),
            "the small Inception needs a width that is a multiple of 8, not 12");
  EXPECT_EQ(usage_error_of([] { small_resnet({.classes = 0}); }),
            "the small ResNet needs at least 1 class, not 0");
  EXPECT_EQ(usage_error_of([] { cifar_cvae_decoder({.latents = 0}); }),
            "the CIFAR CVAE needs at least 1 latent, not 0");
  EXPECT_EQ(usage_error_of([] {
              vgg11({.image = {3, 32, 32}, .width = -1});
            }),
            "VGG-11 needs a width of at least 1 (or 0 for the paper's), not -1");
}

}  // namespace
}  // namespace whence::models
