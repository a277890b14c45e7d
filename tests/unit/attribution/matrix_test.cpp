// Every method of the table on every kind of model: what all of them owe.
#include <gtest/gtest.h>
#include <signal.h>

#include <set>

#include "support/errors.h"
#include "support/files.h"
#include "support/script_module.h"
#include "unit/attribution/cases.h"
#include "unit/attribution/pixel_generator.h"
#include "whence/explain/attribution/embedding.h"
#include "whence/explain/attribution/expected_gradients.h"
#include "whence/explain/attribution/extremal_perturbation.h"
#include "whence/explain/attribution/integrated_gradients.h"
#include "whence/explain/attribution/mask_perturbation.h"
#include "whence/explain/attribution/path_mask.h"
#include "whence/explain/attribution/rise.h"
#include "whence/explain/attribution/smooth_grad.h"
#include "whence/platform/interrupt.h"

namespace whence::attribution {
namespace {

using namespace known;

/// What a method sees of a foreign model whose operations are not known. Counts the images it is given at once.
class Opaque final : public models::Classifier {
 public:
  explicit Opaque(std::unique_ptr<models::Classifier> inner) : inner_(std::move(inner)) {}
  at::Tensor logits(const at::Tensor& x) const override {
    most_ = std::max(most_, x.size(0));
    return inner_->logits(x);
  }
  std::int64_t classes() const override { return inner_->classes(); }
  std::string why_opaque() const override { return "aten::cumsum, which is not supported"; }
  std::int64_t most() const { return most_; }

 private:
  std::unique_ptr<models::Classifier> inner_;
  mutable std::int64_t most_ = 0;
};

std::unique_ptr<models::Classifier> cnn(std::int64_t channels) {
  return models::as_classifier(
      initialised(models::base_cnn({.image = {channels, 8, 8}, .classes = 3, .width = 4})));
}
/// Its batch norms have statistics of their own, as a trained network's.
std::unique_ptr<models::Classifier> resnet(std::int64_t channels) {
  nn::Network network =
      initialised(models::small_resnet({.image = {channels, 8, 8}, .classes = 3, .width = 4}));
  Generator generator = make_generator(9, "statistics");
  const at::NoGradGuard no_grad;
  for (const nn::NamedTensor& each : network.state()) {
    at::Tensor tensor = each.tensor;
    if (each.name.ends_with("running_mean")) tensor.uniform_(-0.3, 0.3, generator);
    if (each.name.ends_with("running_var")) tensor.uniform_(0.5, 2, generator);
    if (each.name.ends_with("norm.bias")) tensor.uniform_(-0.2, 0.2, generator);
  }
  return models::as_classifier(network);
}

struct Model {
  const char* name;
  std::unique_ptr<models::Classifier> (*make)(std::int64_t channels);
};
constexpr Model kModels[] = {{"cnn", cnn},
                             {"resnet", resnet},
                             {"opaque", [](std::int64_t channels) -> std::unique_ptr<models::Classifier> {
                                return std::make_unique<Opaque>(cnn(channels));
                              }}};

/// Few draws: the axioms hold with any number.
Options quick() {
  Options options;
  options.batch = 7;
  options.seed = 3;
  options.of<Rise>().masks = 20;
  options.of<SmoothGrad>().samples = 6;
  options.of<ExpectedGradients>().samples = 6;
  options.of<IntegratedGradients>().steps = 6;
  options.of<ImagePath>().steps = 6;
  options.of<ImagePath>().iterations = 4;
  options.of<PathMask>().tolerance = 1e9;
  // Searches that go on magnify what other batches round otherwise, and end with nothing where nothing matters.
  options.of<MaskPerturbation>().iterations = 5;
  options.of<ExtremalPerturbation>().iterations = 5;
  options.of<EmbeddingExplanation>().steps = 20;
  return options;
}

struct MatrixCase {
  const Method* method;
  const Model* model;
  std::int64_t channels;
  Score score;
};

std::vector<MatrixCase> all_cases() {
  std::vector<MatrixCase> all;
  for (const Method& method : methods())
    for (const Model& model : kModels)
      for (const std::int64_t channels : {1, 3})
        for (const Score score : {Score::logit, Score::probability})
          all.push_back({&method, &model, channels, score});
  return all;
}

class Matrix : public testing::TestWithParam<MatrixCase> {
 protected:
  Matrix() : classifier_(GetParam().model->make(GetParam().channels)), options_(quick()) {
    options_.score = GetParam().score;
    options_.references = random_images(6, {GetParam().channels, 8, 8}, 2);
    if (method().needs != Needs::generator) return;
    const auto same = GetParam().model->make(GetParam().channels);
    const std::vector<std::int64_t> image = {GetParam().channels, 8, 8};
    generator_ = std::make_unique<PixelGenerator>(*same, image);
    options_.generator = generator_->model();
  }
  const Method& method() const { return *GetParam().method; }
  at::Tensor images(std::int64_t count) const { return random_images(count, {GetParam().channels, 8, 8}); }
  Attribution run(const at::Tensor& x, const at::Tensor& target) const {
    return method().run(*classifier_, x, target, options_);
  }
  bool is_opaque() const { return classifier_->network() == nullptr; }

  std::unique_ptr<models::Classifier> classifier_;
  std::unique_ptr<PixelGenerator> generator_;
  Options options_;
};

TEST_P(Matrix, OwesWhatEveryMethodOwes) {
  const at::Tensor x = images(5), target = at::tensor({0, 1, 2, 1, 0}, at::kLong);
  if (method().needs_layers() && is_opaque()) {
    test::expect_error([&] { run(x, target); }, {std::string(method().title), "layers", "aten::cumsum"});
    return;
  }
  const Attribution found = run(x, target);
  const std::int64_t channels = method().unit == Unit::value ? x.size(1) : 1;
  ASSERT_EQ(found.values.sizes(), at::IntArrayRef({5, channels, 8, 8}));
  EXPECT_EQ(found.values.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::isfinite(found.values).all().item<bool>());
  EXPECT_GT(found.values.abs().max().item<float>(), 0);
  if (!method().is_signed) {
    EXPECT_GE(found.values.min().item<float>(), 0);
  }
  EXPECT_TRUE(at::allclose(found.scores, scores_of(*classifier_, x, target, options_.score)));
  if (found.standard_error.defined()) {
    EXPECT_EQ(found.standard_error.sizes(), found.values.sizes());
    EXPECT_GE(found.standard_error.min().item<float>(), 0);
  }
  ASSERT_EQ(found.completeness_error.defined(), method().complete);

  const at::Tensor again = run(x, target).values;
  EXPECT_TRUE(at::equal(again, found.values)) << "the same seed must give the same bits";

  // Rules divide by sums that may be small, which magnifies what other batches round otherwise.
  const double size = found.values.abs().max().item<double>(),
               tolerance = method().needs_layers() ? 1e-3 : 1e-5;
  // The search for a morph compares what is almost equal in an untrained network; morphing_test.cpp looks at images alone.
  // Adam's first step has the size of its rate also where a gradient is 0 but for rounding.
  const bool searches = method().needs == Needs::generator || method().name == "mask_perturbation" ||
                        method().name == "extremal_perturbation";
  for (std::int64_t i = 0; i < 5 && !searches; ++i) {
    const Attribution alone = run(x.narrow(0, i, 1), target.narrow(0, i, 1));
    EXPECT_TRUE(at::allclose(alone.values[0], found.values[i], 0, tolerance * size)) << "image " << i;
  }
  const at::Tensor before = x.clone();
  run(x, target);
  EXPECT_TRUE(at::equal(x, before)) << "images must not be written into";
}

TEST_P(Matrix, BoundsMemoryAndStops) {
  if (method().needs_layers() && is_opaque()) return;
  const at::Tensor x = images(9), target = all_of(2, 9);
  std::vector<std::int64_t> steps;
  options_.progress = [&](const Progress& now) {
    if (now.stage != method().title) return;  // the training of what explains
    EXPECT_EQ(now.total, 9);
    steps.push_back(now.step);
  };
  run(x, target);
  EXPECT_EQ(steps, (std::vector<std::int64_t>{7, 9}));
  if (const auto* opaque = dynamic_cast<const Opaque*>(classifier_.get())) {
    EXPECT_LE(opaque->most(), 7);
  }

  options_.progress = [](const Progress&) { throw Error("stopped", ExitCode::interrupted); };
  test::expect_error([&] { run(x, target); }, {"stopped"}, ExitCode::interrupted);
}

/// With more points and draws, the sum of the values comes near what is promised. Relevance methods lose what biases take, and paths from a
/// morph have no length where an untrained network gives every image one class; both have tests of their own.
TEST_P(Matrix, ComesNearItsAxiom) {
  if (!method().complete || method().needs_layers() || method().needs == Needs::generator) return;
  options_.batch = 64;
  options_.of<IntegratedGradients>().steps = 300;
  options_.of<ExpectedGradients>().samples = 600;
  const Attribution found = run(images(3), at::tensor({0, 1, 2}, at::kLong));
  const at::Tensor sizes = found.values.to(at::kDouble).abs().sum({1, 2, 3});
  EXPECT_LT((found.completeness_error.abs() / sizes).max().item<double>(), 0.05);
}

INSTANTIATE_TEST_SUITE_P(Methods, Matrix, testing::ValuesIn(all_cases()), [](const auto& each) {
  const MatrixCase& one = each.param;
  return fmt::format("{}_{}_{}_{}", one.method->name, one.model->name, one.channels == 1 ? "grey" : "colour",
                     name_of(one.score));
});

/// Else figures would show half a palette for nothing.
TEST(Methods, GiveBothSignsWhereTheySaySo) {
  const auto classifier = cnn(1);
  Options options = quick();
  options.references = random_images(6, {1, 8, 8}, 2);
  const std::vector<std::int64_t> image = {1, 8, 8};
  const PixelGenerator generator(*classifier, image);
  options.generator = generator.model();
  for (const Method& each : methods()) {
    if (!each.is_signed) continue;
    const at::Tensor values =
        each.run(*classifier, random_images(6, {1, 8, 8}), at::tensor({0, 1, 2, 0, 1, 2}, at::kLong), options)
            .values;
    EXPECT_LT(values.min().item<float>(), 0) << each.name;
    EXPECT_GT(values.max().item<float>(), 0) << each.name;
  }
}

TEST(Methods, HaveNamesAndOptionsOfTheirOwn) {
  std::set<std::string_view> names;
  std::map<std::string_view, const Option*> options;
  for (const Method& each : methods()) {
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
    EXPECT_EQ(&method(each.name), &each);
    EXPECT_EQ(each.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string_view::npos);
    EXPECT_TRUE(each.meaning.ends_with(".")) << each.name;
    EXPECT_FALSE(each.title.empty() || each.source.empty()) << each.name;
    for (const Option& option : each.options) {
      EXPECT_TRUE(option.meaning.ends_with(".")) << option.name;
      check(option, {});  // the default is in its range
      const auto [before, added] = options.insert({option.name, &option});
      EXPECT_TRUE(added || before->second->meaning == option.meaning) << option.name;
    }
  }
  EXPECT_EQ(&method("integrated-gradients"), &method("integrated_gradients"));
  EXPECT_TRUE(
      test::contains(test::usage_error_of([] { method("smoothgrad"); }), "did you mean 'smooth_grad'?"));
  EXPECT_TRUE(test::contains(test::usage_error_of([] { method("deeplift_rescale"); }), "gradient, "));
}

/// Options out of range, of every method: the sentence names option and range.
TEST(Methods, RefuseOptionsOutOfRange) {
  const at::Tensor x = random_images(1, {1, 8, 8});
  for (const Method& each : methods())
    for (const Option& option : each.options) {
      Options options;
      options.references = x;
      const auto refused = [&] {
        test::expect_error([&] { each.run(*cnn(1), x, all_of(0, 1), options); },
                           {std::string(option.name), "must be"}, ExitCode::usage);
      };
      if (const auto* integer = std::get_if<IntegerOption>(&option.type)) {
        integer->at(options) = integer->least - 1;
        refused();
        integer->at(options) = integer->most + 1;
        refused();
      } else if (const auto* number = std::get_if<NumberOption>(&option.type)) {
        number->at(options) = number->least - 0.5;
        refused();
        number->at(options) = std::numeric_limits<double>::quiet_NaN();
        refused();
      }
    }
}

TEST(Methods, RefuseQuestionsThatHaveNoAnswer) {
  const at::Tensor x = random_images(2, {1, 8, 8});
  const auto ask = [&](const models::Classifier& classifier, const at::Tensor& target, Options options) {
    return [&classifier, target, options, x] { method("gradient").run(classifier, x, target, options); };
  };
  const auto classifier = cnn(1);
  test::expect_error(ask(*classifier, at::tensor({0, 3}, at::kLong), {}), {"class 3", "image 1", "0 to 2"},
                     ExitCode::usage);
  Options none;
  none.batch = 0;
  test::expect_error(ask(*classifier, all_of(0, 2), none), {"batch is 0"}, ExitCode::usage);
  const Classifier sick = with_logit([](const at::Tensor& images) {
    return images.sum({1, 2, 3}) * at::tensor({1.0F, std::numeric_limits<float>::infinity()});
  });
  test::expect_error(ask(sick, all_of(1, 2), {}), {"gradient of image 1", "NaN or infinity"});
  EXPECT_THROW(ask(*classifier, all_of(1, 3), {})(), c10::Error);
}

/// Of a TorchScript file with an operation that is not known, the operation and its place are named.
TEST(Methods, NameTheOperationThatKeepsAModelOpaque) {
  const test::TemporaryFolder folder;
  test::save_expression(folder / "c.pt", "torch.matmul(torch.cumsum(torch.flatten(x, 1), 1), self.w)",
                        {{"w", at::rand({64, 3}) - 0.5}});
  const at::Tensor x = random_images(2, {1, 8, 8});
  const auto classifier = models::load_classifier(folder / "c.pt", x);
  ASSERT_EQ(classifier->network(), nullptr);
  for (const Method& each : methods())
    if (each.needs_layers())
      test::expect_error([&] { each.run(*classifier, x, all_of(0, 2)); },
                         {std::string(each.title), "layers", "cumsum"});
  const at::Tensor found = method("gradient").run(*classifier, x, all_of(0, 2)).values;
  EXPECT_GT(found.abs().min().item<float>(), 0);
}

/// A signal ends the work between passes. It stays remembered, so a process of its own gets it.
TEST(MethodsDeathTest, HearASignalBetweenPasses) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        install_interrupt_handler();
        int passes = 0;
        const Classifier counting = with_logit([&](const at::Tensor& images) {
          if (++passes == 3) ::raise(SIGINT);
          return images.sum({1, 2, 3});
        });
        Options options;
        options.batch = 1;
        try {
          method("smooth_grad").run(counting, random_images(1), all_of(1, 1), options);
        } catch (const Error& error) {
          ::_exit(error.code() == ExitCode::interrupted && passes == 3 ? 42 : 1);
        }
        ::_exit(2);
      },
      testing::ExitedWithCode(42), "");
}

}  // namespace
}  // namespace whence::attribution
