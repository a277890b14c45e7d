// Attributions worked out by hand, or published with other tools' tests.
#include <gtest/gtest.h>

#include "unit/attribution/cases.h"
#include "whence/explain/attribution/grad_cam.h"
#include "whence/explain/attribution/integrated_gradients.h"
#include "whence/explain/attribution/measures.h"
#include "whence/explain/attribution/occlusion.h"
#include "whence/explain/attribution/shapley_sampling.h"

namespace whence::attribution {
namespace {

using namespace known;

void expect_near(const at::Tensor& values, const at::Tensor& expected) {
  const double size = std::max(expected.abs().max().item<double>(), 1e-6);
  EXPECT_TRUE(at::allclose(values.flatten(), expected.flatten(), 0, 1e-4 * size)) << values << expected;
}

at::Tensor values_of(const std::string& name, const models::Classifier& classifier, const at::Tensor& x,
                     const Options& options = {}, std::int64_t target = 1) {
  return method(name).run(classifier, x, all_of(target, x.size(0)), options).values;
}

at::Tensor column(const at::Tensor& x, std::int64_t i) { return x.select(3, i).flatten(); }

TEST(ExactCases, IntegratedGradientsThroughKinks) {
  const Classifier outside =
      with_logit([](const at::Tensor& x) { return (column(x, 0).relu() - 1 - column(x, 1).relu()).relu(); });
  const Classifier inside = with_logit(
      [](const at::Tensor& x) { return ((column(x, 0) - 1).relu() - column(x, 1).relu()).relu(); });
  for (const Classifier* each : {&outside, &inside})
    expect_near(values_of("integrated_gradients", *each, row({3, 1})), at::tensor({1.5F, -0.5F}));
}

TEST(ExactCases, IntegratedGradientsOfMl) {
  Options options;
  options.of<IntegratedGradients>().steps = 4000;  // the kink is felt by one point's weight
  expect_near(values_of("integrated_gradients", ml(), ml_image(), options),
              at::tensor({78.0F, 195.0F, 117.0F}));
}

TEST(ExactCases, OcclusionOfMl) {
  const auto by = [&](const Occlusion& own) {
    Options options;
    options.of<Occlusion>() = own;
    return method("occlusion").compute({ml(), ml_image(), all_of(1, 1)}, options).values;
  };
  expect_near(by({.window = 1, .stride = 1}), at::tensor({80.0F, 200.0F, 120.0F}));
  expect_near(by({.window = 2, .stride = 2}), at::tensor({280.0F, 280.0F, 120.0F}));
  expect_near(by({.window = 2, .stride = 1, .level = 10}), at::tensor({200.0F, 220.0F, 240.0F}));
}

TEST(ExactCases, ShapleyValuesOfMl) {
  Options options;
  options.of<ShapleySampling>().patch = 1;
  const Attribution found = method("shapley_sampling").run(ml(), ml_image(), all_of(1, 1), options);
  expect_near(found.values, at::tensor({76.666667F, 196.666667F, 116.666667F}));
  EXPECT_EQ(found.standard_error.abs().max().item<float>(), 0);  // all six orders
  EXPECT_NEAR(found.completeness_error.item<double>(), 0, 1e-4);
}

TEST(ExactCases, GradCamOfC) {
  const auto classifier = models::as_classifier(network_c());
  Options options;
  options.of<GradCam>().layer = "conv1";
  const at::Tensor x = image_c(), expected = at::tensor({11.25F, 13.5F, 20.25F, 22.5F});
  const Attribution found = grad_cam_of_layer({*classifier, x, all_of(0, 1)}, options);
  expect_near(found.values, expected);
  EXPECT_NEAR(found.scores.item<double>(), 54, 1e-4);
  // Enlarged bilinearly: pixel i of 4 lies at (i + 0.5) / 2 - 0.5 between the two.
  const at::Tensor place = at::tensor({0.0F, 0.25F, 0.75F, 1.0F});
  const at::Tensor share = at::stack({1 - place, place}, 1);
  expect_near(values_of("grad_cam", *classifier, x, options, 0),
              share.mm(expected.view({2, 2})).mm(share.t()));
}

TEST(ExactCases, SmoothGradOfTheIdentity) {
  const Classifier sum = with_logit([](const at::Tensor& x) { return x.sum({1, 2, 3}); });
  expect_near(values_of("smooth_grad", sum, random_images(1)), at::ones({20}));
  expect_near(values_of("smooth_grad_squared", sum, random_images(1)), at::ones({20}));
  expect_near(values_of("var_grad", sum, random_images(1)), at::zeros({20}));
}

TEST(ExactCases, CurvesOfMl) {
  const at::Tensor map = at::tensor({78.0F, 195.0F, 117.0F}).view({1, 1, 1, 3});
  const PerturbationCurve curve =
      perturbation_curve(ml(), ml_image(), all_of(1, 1), map, Score::logit, {.patch = 1});
  expect_near(curve.scores, at::tensor({392.0F, 192.0F, 72.0F, 2.0F}));
  const auto by = [&](const char* name) {
    return measure(name).compute({ml(), ml_image(), all_of(1, 1), map}, {.patch = 1});
  };
  expect_near(by("morf"), at::tensor({227.5F}));
  expect_near(by("lerf"), at::tensor({167.5F}));
}

}  // namespace
}  // namespace whence::attribution
