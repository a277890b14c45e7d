// Cutting a generator, and hybrids.
#include "unit/modularity/generators.h"
#include "whence/models/roles.h"

namespace whence::modularity {
namespace {

using namespace test_support;
using test::contains;
using test::usage_error_of;

class OpaqueDecoder final : public models::Decoder {
 public:
  at::Tensor decode(const at::Tensor& z) const override { return z.view({-1, 1, 2, 2}); }
  std::int64_t latents() const override { return 4; }
};

/// The branching generator in float64, operation by operation, with channels of conv1 exchanged.
Tensor transcribed(const nn::Network& network, const Tensor& first, const Tensor& second,
                   const std::vector<std::int64_t>& channels) {
  const auto p = [&](const std::string& name) {
    for (const nn::NamedTensor& entry : network.state())
      if (entry.name == name) return entry.tensor.to(at::kDouble);
    throw std::logic_error(name);
  };
  const auto maps_of = [&](const Tensor& z) {
    return at::linear(z.to(at::kDouble), p("fc.weight"), p("fc.bias")).view({-1, 6, 4, 4});
  };
  const auto conv1_of = [&](const Tensor& maps) {
    return at::conv2d(maps, p("conv1.weight"), p("conv1.bias"), 1, 1);
  };
  const Tensor maps = maps_of(first);
  Tensor conv1 = conv1_of(maps);
  const Tensor theirs = conv1_of(maps_of(second));
  for (const std::int64_t k : channels) conv1.select(1, k).copy_(theirs.select(1, k));
  const auto per_channel = [](const Tensor& values) { return values.view({1, -1, 1, 1}); };
  const Tensor norm = (conv1 - per_channel(p("norm1.running_mean"))) /
                          (per_channel(p("norm1.running_var")) + 1e-5).sqrt() *
                          per_channel(p("norm1.weight")) +
                      per_channel(p("norm1.bias"));
  const auto doubled = [](const Tensor& x) { return x.repeat_interleave(2, 2).repeat_interleave(2, 3); };
  const Tensor sum = at::conv2d(doubled(norm.relu()), p("conv2.weight"), p("conv2.bias"), 1, 1) +
                     at::conv2d(doubled(maps), p("past_conv.weight"), p("past_conv.bias"));
  return at::conv_transpose2d(sum.relu(), p("image.weight"), p("image.bias"), 2, 1).sigmoid();
}

TEST(Hybrids, AreWhatTheTextSays) {
  const nn::Network network = branching_generator(1);
  const Cut cut(network);
  EXPECT_EQ(cut.layer(), "conv1");
  EXPECT_EQ(cut.channels(), 8);
  EXPECT_EQ(cut.image(), (nn::Shape{3, 16, 16}));
  Generator generator = make_generator(2, "test");
  const Tensor first = at::randn({7, 5}, generator), second = at::randn({7, 5}, generator);
  for (const Channels& set : {Channels{}, Channels{3}, Channels{0, 2, 5}, Channels{0, 1, 2, 3, 4, 5, 6, 7}})
    EXPECT_LT(
        largest_difference(hybrids(cut, first, {{second, set}}), transcribed(network, first, second, set)),
        2e-5)
        << set.size();
  EXPECT_LT(largest_difference(cut.images(first), transcribed(network, first, first, {})), 2e-5);
}

TEST(Hybrids, OfAnyLayerSeveralDonorsAndAStrength) {
  const nn::Network network = branching_generator(3);
  Generator generator = make_generator(4, "test");
  const Tensor z = at::randn({4, 5}, generator), one = at::randn({4, 5}, generator),
               other = at::randn({1, 5}, generator);
  for (const std::string layer : {"maps", "conv1", "relu1", "up", "conv2", "sum", "image", "sigmoid"}) {
    const Cut cut(network, layer);
    const Channels set = {0, 2};
    EXPECT_LT(largest_difference(hybrids(cut, z, {{one, set}}), slow_hybrids(network, layer, z, one, set)),
              1e-5)
        << layer;
  }
  const Cut cut(network, "conv2");
  const Tensor maps = network.activations(z, {network.find("conv2")}).front(),
               of_one = network.activations(one, {network.find("conv2")}).front(),
               of_other = network.activations(other, {network.find("conv2")}).front();
  Tensor expected = maps.clone();
  expected.select(1, 1).copy_(0.75 * maps.select(1, 1) + 0.25 * of_one.select(1, 1));
  expected.select(1, 3).copy_(of_other.select(1, 3).expand({4, -1, -1}));
  Activations changed = cut.before(z);
  changed.maps = expected;
  EXPECT_LT(largest_difference(hybrids(cut, z, {{one, {1}, 0.25}, {other, {3}}}), cut.behind(changed)), 1e-6);
}

TEST(Scaled, MovesChannelsFromTheirCentre) {
  const Tensor maps = at::arange(8).to(at::kFloat).view({2, 2, 1, 2}), centre = at::ones({2, 1, 2});
  const Tensor half = scaled(maps, centre, {1}, 0.5);
  EXPECT_TRUE(at::equal(half.select(1, 0), maps.select(1, 0)));
  EXPECT_TRUE(at::allclose(half.select(1, 1), 0.5 * maps.select(1, 1) + 0.5));
  EXPECT_TRUE(at::allclose(scaled(maps, centre, {0, 1}, 0), at::ones_like(maps)));
}

TEST(Cut, RefusesWhatCannotBeCut) {
  const nn::Network network = branching_generator(1);
  const auto error = [&](std::string_view layer) { return usage_error_of([&] { Cut(network, layer); }); };
  EXPECT_TRUE(contains(error("conv3"), "no layer 'conv3' (did you mean 'conv1'?)")) << error("conv3");
  EXPECT_TRUE(contains(error("fc"), "'fc' of network \"branching\" has no channels")) << error("fc");
  EXPECT_TRUE(
      contains(usage_error_of([] { Cut cut{OpaqueDecoder()}; }), "layers of this decoder are not known"));
  nn::Network flat("flat", {3});
  flat.add("out", nn::Linear{12});
  EXPECT_TRUE(contains(usage_error_of([&] { Cut cut(flat); }), "generates no images"));
  flat.add("image", nn::Reshape{{3, 2, 2}});
  EXPECT_TRUE(contains(usage_error_of([&] { Cut cut(flat); }), "has no convolution"));
  EXPECT_TRUE(contains(usage_error_of([&] {
                         hybrids(Cut(network), at::zeros({1, 5}), {{at::ones({1, 5}), {8}}});
                       }),
                       "no channel 8"));
}

TEST(Cut, LayersBesideTheWayToTheImageAreRefused) {
  nn::Network network = branching_generator(1);
  network.add("beside", nn::Conv2d{2, 1}, {"maps"});
  network.set_outputs({"sigmoid"});
  EXPECT_TRUE(
      contains(usage_error_of([&] { Cut cut(network, "beside"); }), "does not depend on layer 'beside'"));
}

}  // namespace
}  // namespace whence::modularity
