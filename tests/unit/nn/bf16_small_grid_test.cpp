// Products whose rows are images: when they are taken, and that they are the others' to the bit.
#include "nn/kernels/bf16_small_grid.h"

#include <torch/csrc/autograd/autograd.h>

#include <set>
#include <tuple>

#include "nn/kernels/product_convolution.h"
#include "nn/kernels/product_units.h"
#include "unit/nn/network_support.h"
#include "whence/platform/parts.h"

namespace whence::nn {
namespace {

using test_support::half;
using test_support::kSummed;
using test_support::relative_error;

bool taken(std::int64_t batch, std::int64_t channels, std::int64_t outputs, std::int64_t side) {
  return has_small_grid(convolution_patches({batch, channels, side, side}, outputs, {side, side}, 3, 1, 1));
}

class SmallGrid : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_bf16_products()) GTEST_SKIP() << "this processor has no AVX512_BF16";
    x = half(at::randn({batch, 64, 4, 5}, generator));
    weight = at::randn({32, 64, 3, 3}, generator).mul(0.1).set_requires_grad(true);
  }
  Tensor run(const Tensor& images) const {
    return product_convolution(images, weight, {}, Conv2d{32, 3, 1, 1}, false);
  }
  Tensor weight_gradient() const { return torch::autograd::grad({run(x)}, {weight}, {cotangent()})[0]; }
  Tensor cotangent() const {
    Generator own = make_generator(6, "test");
    return half(at::randn({batch, 32, 4, 5}, own));
  }

  static constexpr std::int64_t batch = 300;  // more than are laid out together
  Generator generator = make_generator(5, "test");
  Tensor x, weight;
};

TEST_F(SmallGrid, IsTakenWhereItFillsTheRegisters) {
  EXPECT_TRUE(taken(64, 512, 512, 2));
  EXPECT_TRUE(taken(64, 32, 32, 14));
  EXPECT_FALSE(taken(64, 32, 32, 15)) << "large";
  EXPECT_FALSE(taken(3, 32, 32, 4));
  EXPECT_FALSE(taken(64, 48, 32, 4)) << "blocks of channels";
  EXPECT_FALSE(taken(64, 32, 48, 4));
  if (has_amx()) {
    EXPECT_FALSE(taken(31, 32, 32, 4)) << "a tile has 32 rows";
    EXPECT_TRUE(taken(40, 32, 32, 4)) << "40 of 64 rows instead of 16 of 32";
    EXPECT_FALSE(taken(40, 32, 32, 8)) << "40 of 64 rows instead of 64 of 96";
  } else {
    EXPECT_TRUE(taken(8, 32, 32, 14));
    EXPECT_FALSE(taken(9, 32, 32, 14)) << "five rows at once instead of seven";
  }
}

TEST_F(SmallGrid, GivesTheBitsThatAnImageAloneGives) {
  const at::NoGradGuard no_gradients;
  std::vector<Tensor> alone;
  for (std::int64_t i = 0; i < 40; ++i) alone.push_back(run(x.narrow(0, i, 1)));
  EXPECT_TRUE(at::equal(run(x).narrow(0, 0, 40), at::cat(alone)));
}

TEST_F(SmallGrid, AddsUpTheGradientsOfManyImages) {
  const Tensor twin = weight.detach().to(at::kBFloat16).to(at::kDouble).set_requires_grad(true);
  const Tensor truth = at::conv2d(x.to(at::kDouble), twin, {}, 1, 1);
  const Tensor expected = torch::autograd::grad({truth}, {twin}, {cotangent().to(at::kDouble)})[0];
  const Tensor ours = weight_gradient();
  EXPECT_LT(relative_error(ours, expected), kSummed);
  weight = weight.detach().contiguous(at::MemoryFormat::ChannelsLast).set_requires_grad(true);
  EXPECT_TRUE(weight_gradient().equal(ours));
}

TEST_F(SmallGrid, GivesTheSameBitsToACallerThatIsOneOfSeveral) {
  const Tensor alone = weight_gradient();
  std::vector<Tensor> parts(2);
  run_parts(2, [&](std::int64_t part) { parts[static_cast<std::size_t>(part)] = weight_gradient(); });
  for (const Tensor& part : parts) EXPECT_TRUE(part.equal(alone));
}

/// Every tap of every position, by the definition of Patches.
TEST(PatchMeetings, AreThePairsThatMeetAPixel) {
  for (std::int64_t taps = 1; taps <= 4; ++taps) {
    for (std::int64_t step = 1; step <= 3; ++step) {
      for (std::int64_t margin = -2; margin <= 5; ++margin) {
        const PatchSide side{.input = 4, .output = 5, .grid = 5, .margin = margin, .crop = 0};
        Patches patches;
        patches.taps = taps;
        patches.step = step;
        std::set<std::tuple<std::int64_t, std::int64_t, std::int64_t>> expected, by_position, by_tap;
        for (std::int64_t position = 0; position < side.grid; ++position) {
          for (std::int64_t tap = 0; tap < taps; ++tap) {
            const std::int64_t pixel = step * position - margin + tap;
            if (pixel >= 0 && pixel < side.input) expected.insert({position, tap, pixel});
          }
          const Meeting met = taps_at(patches, side, position);
          for (std::int64_t i = met.begin; i < met.end; ++i)
            by_position.insert({position, i, met.pixel + i - met.begin});
        }
        for (std::int64_t tap = 0; tap < taps; ++tap) {
          const Meeting met = positions_of(patches, side, tap);
          for (std::int64_t i = met.begin; i < met.end; ++i)
            by_tap.insert({i, tap, met.pixel + step * (i - met.begin)});
        }
        EXPECT_EQ(by_position, expected) << taps << " " << step << " " << margin;
        EXPECT_EQ(by_tap, expected) << taps << " " << step << " " << margin;
      }
    }
  }
}

}  // namespace
}  // namespace whence::nn
