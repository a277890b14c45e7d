// What visualizations are measured by, on data whose answers are known.
#include "whence/explain/visualization/measures.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "unit/visualization/cases.h"

namespace whence::visualization {
namespace {

using namespace known;

/// Image i is i / 200 everywhere.
at::Tensor ladder() {
  return (at::arange(200, at::kFloat) / 200).view({200, 1, 1, 1}).expand({200, 1, 2, 2}).contiguous();
}

TEST(Measures, DataHaveAQuantileASpreadAndExamples) {
  const Linear classifier(at::full({1, 2, 2}, 0.25));
  const Response response(classifier, {Goal::logit, "", {0, 1}, {}, {}});
  const DataResponse found = response_of_data(response, ladder(), 3, 7);
  EXPECT_NEAR(found.quantile[1].item<double>(), 0.99 * 199 / 200, 1e-6);
  EXPECT_NEAR(found.spread[1].item<double>(), (at::arange(200, at::kFloat) / 200).std().item<double>(), 1e-6);
  EXPECT_EQ(found.spread[0].item<double>(), 1);  // constant
  EXPECT_TRUE(at::equal(found.largest[1], at::tensor({199, 198, 197}, at::kLong)));
  EXPECT_TRUE(at::equal(found.smallest[1], at::tensor({0, 1, 2}, at::kLong)));
  EXPECT_TRUE(test::contains(test::error_of([&] { response_of_data(response, ladder().narrow(0, 0, 1), 3); }),
                             "2 or more"));
}

TEST(Measures, DistancesAreRootMeanSquares) {
  const at::Tensor between = at::full({1, 1, 2, 2}, 0.5 + 0.1 / 200),
                   beyond = at::full({1, 1, 2, 2}, 199.0 / 200);
  const Distance found = distance_to_data(at::cat({between, beyond + 0.25}), ladder());
  EXPECT_NEAR(found.typical, 1.0 / 200, 1e-7);
  EXPECT_NEAR(found.nearest[0].item<double>(), 0.1 / 200, 1e-7);
  EXPECT_NEAR(found.nearest[1].item<double>(), 0.25, 1e-6);
}

TEST(Measures, TransferCountsTheJudgesAnswers) {
  const at::Tensor seen = at::tensor({1, 0, 1, 1}, at::kLong).view({2, 2});
  EXPECT_EQ(transfer(seen, at::tensor({1, 1}, at::kLong)), 0.75);
  EXPECT_EQ(transfer(seen, at::tensor({1, 0}, at::kLong)), 0.25);
}

TEST(Measures, ADirectionIsAClassesMeanLessThatOfAll) {
  const auto classifier = smooth();
  const at::Tensor images = random_images({9, 1, 5, 6}),
                   labels = at::tensor({0, 0, 2, 0, 2, 2, 2, 0, 0}, at::kLong);
  const at::Tensor found = class_directions(*classifier, "conv1", images, labels, 4);
  const at::NoGradGuard no_grad;
  const nn::Network& network = *classifier->network();
  const at::Tensor means = network.activations(images)[network.find("conv1")].mean({2, 3});
  const at::Tensor own = means.index_select(0, at::tensor({2, 4, 5, 6}, at::kLong)).mean(0);
  EXPECT_TRUE(at::allclose(found[2], own - means.mean(0), 1e-4, 1e-6));
  EXPECT_TRUE(at::equal(found[1], at::tensor({1.0F, 0.0F, 0.0F, 0.0F})));  // no image of it
}

}  // namespace
}  // namespace whence::visualization
