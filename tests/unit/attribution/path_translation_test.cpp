// Paths by translation: with a translator whose paths are known in closed form, and with any one.
#include <gtest/gtest.h>

#include "support/errors.h"
#include "unit/attribution/cases.h"
#include "whence/core/random.h"
#include "whence/explain/attribution/path_mask.h"
#include "whence/models/translator.h"
#include "whence/models/zoo/zoo.h"

namespace whence::attribution {
namespace {

using namespace known;
using at::Tensor;

constexpr float kSteps[] = {-0.12F, 0.2F};  ///< of each class

/// T(x, w) = x + sum over classes k of w_k d_k, for images of 1 x 4 x 4: colours x + 2 sum w_k d_k, a mask of 1/2.
std::shared_ptr<const models::Translator> adder() {
  nn::Network network("adder", {3, 4, 4});
  network.add("add", nn::Conv2d{2, 1});
  Tensor weight = at::zeros({2, 3, 1, 1});
  weight[0][0] = 1;
  weight[0][1] = 2 * kSteps[0];
  weight[0][2] = 2 * kSteps[1];
  network.load_state({{"add.weight", weight}, {"add.bias", at::tensor({0.F, 0.5F})}});
  return std::make_shared<const models::Translator>(network, 2);
}

std::shared_ptr<const models::Translator> random_translator(std::int64_t classes = 2) {
  nn::Network network = models::translator_network({.image = {1, 8, 8}, .classes = classes, .width = 4});
  Generator generator = make_generator(5, "path-translation-test");
  nn::initialise(network, {}, generator);
  return std::make_shared<const models::Translator>(network, classes);
}

Options with(const std::shared_ptr<const models::Translator>& translator, std::int64_t steps) {
  Options options;
  options.translator = translator;
  options.of<ImagePath>() = {.steps = steps, .baseline = "translation"};
  return options;
}

/// With images of 8 x 8.
Classifier curved() {
  const Tensor weight = at::linspace(-1, 2, 64).view({1, 8, 8}).cos();
  return with_logit([weight](const Tensor& x) { return 3 * (x * weight).sum({1, 2, 3}).sin(); });
}

TEST(PathTranslation, OfALinearTranslatorHasAClosedForm) {
  const Tensor weight = at::linspace(-1, 2, 16).view({1, 4, 4}).cos();
  const Classifier classifier = with_logit([&](const Tensor& x) { return (x * weight).sum({1, 2, 3}); });
  const Tensor x = 0.3 + 0.4 * random_images(4, {1, 4, 4});  // no value leaves [0, 1]
  const Tensor answers = answers_to(classifier, x);
  Options options = with(adder(), 5);
  for (const bool own : {true, false}) {
    const Tensor target = own ? answers : 1 - answers;
    const ImagePaths paths = paths_of({classifier, x, target}, options, 0);
    EXPECT_TRUE(at::equal(paths.answers, answers));
    EXPECT_TRUE(at::equal(paths.from, 1 - answers));
    EXPECT_TRUE(paths.whole);
    // d of the class at the beginning; that of the image's own class cancels out.
    const Tensor step = at::tensor({kSteps[0], kSteps[1]}).index_select(0, paths.from).view({4, 1, 1, 1});
    for (std::int64_t i = 0; i < 5; ++i)
      EXPECT_TRUE(at::allclose(paths.images.select(1, i), x + (1 - 0.25 * static_cast<double>(i)) * step,
                               1e-5, 1e-6));
    const Attribution found = method("path_integrated_gradients").run(classifier, x, target, options);
    // The logit of class 1 is linear with the slope `weight`, that of class 0 is constant.
    const Tensor slope = target.to(at::kFloat).view({4, 1, 1, 1}) * weight;
    EXPECT_TRUE(at::allclose(found.values, -step * slope, 1e-4, 1e-6));
    EXPECT_LT(found.completeness_error.abs().max().item<double>(), 1e-5);
  }
}

TEST(PathTranslation, LeadsFromTheTranslationToTheImage) {
  const auto translator = random_translator();
  const Classifier classifier = curved();
  const Tensor x = random_images(3, {1, 8, 8}), answers = answers_to(classifier, x);
  const Tensor beginning = translator->translate_to(x, 1 - answers).images,
               own = translator->translate_to(x, answers).images;
  ASSERT_GT((own - x).abs().max().item<double>(), 1e-2);
  for (const char* kind : {"radial", "linear", "straight"}) {
    Options options = with(translator, 9);
    options.of<ImagePath>().kind = kind;
    const Tensor images = paths_of({classifier, x, answers}, options, 0).images;
    ASSERT_EQ(images.sizes(), at::IntArrayRef({3, 9, 1, 8, 8}));
    EXPECT_TRUE(at::allclose(images.select(1, 0), beginning)) << kind;
    EXPECT_TRUE(at::allclose(images.select(1, 8), x, 0, 1e-6)) << kind;
    EXPECT_GE(images.min().item<double>(), 0);
    EXPECT_LE(images.max().item<double>(), 1);
    const Tensor middle = images.select(1, 4), chord = 0.5 * (beginning + x);
    EXPECT_EQ(at::allclose(middle, chord, 1e-4, 1e-5), std::string(kind) == "straight") << kind;
  }
}

TEST(PathTranslation, IsComplete) {
  const auto translator = random_translator();
  const Classifier classifier = curved();
  const Tensor x = random_images(5, {1, 8, 8}), answers = answers_to(classifier, x);
  const auto score = [&](const Tensor& images) {
    return classifier.logits(images).softmax(1).gather(1, answers.unsqueeze(1)).squeeze(1);
  };
  const Tensor rise = score(x) - score(translator->translate_to(x, 1 - answers).images);
  Options options = with(translator, 400);
  options.score = Score::probability;
  const auto& method = attribution::method("path_integrated_gradients");
  const Attribution found = method.run(classifier, x, answers, options);
  EXPECT_TRUE(at::allclose(found.values.sum({1, 2, 3}), rise, 1e-2, 1e-3));
  EXPECT_GT(rise.abs().max().item<double>(), 1e-2);
  options.batch = 2;  // an image's map depends on no other image
  EXPECT_TRUE(at::allclose(method.run(classifier, x, answers, options).values, found.values, 1e-4, 1e-5));
}

TEST(PathTranslation, MasksNeedNoAutoencoder) {
  const Classifier classifier = curved();
  const Tensor x = random_images(2, {1, 8, 8});
  Options options = with(random_translator(), 8);
  options.of<PathMask>().area = 0.2;
  const Attribution found = method("path_mask").run(classifier, x, answers_to(classifier, x), options);
  EXPECT_GT(found.values.max().item<double>(), 0);
  EXPECT_LE(found.values.mean().item<double>(), 0.2 + 1e-6);
}

TEST(PathTranslation, SaysWhatIsWrong) {
  const Classifier classifier = curved();
  const Tensor x = random_images(2, {1, 8, 8});
  const auto error = [&](const Options& options) {
    return test::usage_error_of(
        [&] { method("path_mask").run(classifier, x, answers_to(classifier, x), options); });
  };
  EXPECT_TRUE(test::contains(error(with(nullptr, 4)), "there is no translator"));
  EXPECT_TRUE(test::contains(error(with(adder(), 4)), "takes images of 1 x 4 x 4, not of 1 x 8 x 8"));
  EXPECT_TRUE(test::contains(error(with(random_translator(3), 4)), "has 3 classes and the classifier 2"));
  Options options = with(random_translator(), 4);
  options.of<ImagePath>().morphs = 2;
  EXPECT_TRUE(test::contains(error(options), "path_morphs is 2, but an image has one translation"));
  options.of<ImagePath>().baseline = "translatoin";
  EXPECT_TRUE(test::contains(error(options), "needs a generator"));  // no translation, so a morph
}

}  // namespace
}  // namespace whence::attribution
