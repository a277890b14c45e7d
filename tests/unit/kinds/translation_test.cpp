// The kind "translation": its study with a translator whose translations are known, its keys, and what it asks for.
#include "kinds/translation/translation.h"

#include "experiment/metrics.h"
#include "kinds/independent/independent.h"
#include "unit/kinds/pipeline_support.h"

namespace whence::kinds {
namespace {

using at::Tensor;
using whence::test::contains;
using whence::test::usage_error_of;

/// Of images of 1 x 8 x 8 and two classes: white as class 1 and black as class 0, in the left half alone.
nn::Network painter() {
  nn::Network network("painter", {3, 8, 8});
  network.add("paint", nn::Conv2d{2, 1});
  network.add("sigmoid", nn::Sigmoid{});
  Tensor weight = at::zeros({2, 3, 1, 1});
  weight[0][1] = -60;
  weight[0][2] = 60;
  network.load_state({{"paint.weight", weight}, {"paint.bias", at::tensor({0.F, 60.F})}});
  return network;
}

/// Class 1: the mean is above 1/2.
nn::Network brightness() {
  nn::Network network("brightness", {1, 8, 8});
  network.add("flatten", nn::Flatten{});
  network.add("out", nn::Linear{2});
  Tensor weight = at::zeros({2, 64});
  weight[1].fill_(1.0);
  network.load_state({{"out.weight", weight}, {"out.bias", at::tensor({32.F, 0.F})}});
  return network;
}

TEST(TranslationKind, StudiesKnownTranslations) {
  const auto classifier = models::as_classifier(brightness());
  const models::Translator translator(painter(), 2);
  const counterfactual::KnownImages known{at::cat({at::zeros({6, 1, 8, 8}), at::ones({6, 1, 8, 8})}),
                                          at::cat({at::zeros({6}, at::kLong), at::ones({6}, at::kLong)})};
  TranslationModels models{*classifier, translator};
  models.independent = classifier.get();
  models.known = &known;
  models.class_names = {"dark", "bright"};
  const Tensor images = at::stack({at::full({1, 8, 8}, 0.1F), at::full({1, 8, 8}, 0.7F)});
  const TranslationStudy study = study_translations(models, images, "second", 0.01, /*with_controls=*/true);
  ASSERT_EQ(study.ways.size(), 3U);
  const Way& way = study.ways.front();
  EXPECT_TRUE(at::equal(study.cases.to.cpu(), at::tensor({1, 0}, at::kLong)));
  EXPECT_TRUE(at::allclose(way.after, at::stack({at::ones({1, 8, 8}), at::zeros({1, 8, 8})}), 0, 1e-5));
  const nlohmann::json metrics = to_json(study, 0.01), own = metrics.at("ways").at("translation");
  EXPECT_EQ(own.at("failed"), 0);
  EXPECT_EQ(own.at("unfinished"), 0);
  EXPECT_EQ(own.at("transfer"), 1);
  EXPECT_EQ(own.at("neighbours"), 1);
  EXPECT_NEAR(own.at("mask").get<double>(), 1, 1e-6);
  EXPECT_NEAR(own.at("distance").get<double>(), (0.9 * 8 + 0.7 * 8) / 2, 1e-4);
  EXPECT_NEAR(own.at("cycle").get<double>(), (0.1 + 0.3) / 2, 1e-4);  // white and black again, not the images
  EXPECT_FALSE(own.contains("im1"));
  EXPECT_TRUE(contains(translation_answer(metrics), "gives 100.0 % of 2 translated test images"));
  const report::Section section = translation_section_of(metrics);
  EXPECT_EQ(section.tables.front().rows.size(), 3U);
  for (const auto& row : section.tables.front().rows)
    EXPECT_EQ(row.size(), section.tables.front().header.size());
  const report::ImageGrid grid = translation_figure(study, models, 8);
  EXPECT_EQ(grid.images.sizes(), (at::IntArrayRef{9, 2, 3, 8, 8}));
  EXPECT_EQ(grid.row_labels.size(), 9U);
  EXPECT_TRUE(contains(usage_error_of([&] { study_translations(models, images, "brigth", 0.01, false); }),
                       "did you mean 'bright'?"));
  EXPECT_EQ(study_translations(models, images, "bright", 0.01, false).cases.left_out, 1);
}

TEST(TranslationKind, KeysReachTheTraining) {
  const auto with = [](const std::vector<std::string>& settings) {
    return parse_recipe(kinds(), whence::test_support::kLeast, "least.toml", settings);
  };
  const Recipe recipe = with({"translation.steps=7", "translation.cycle_weight=3",
                              "translation.class_weight=0", "translation.average=0.5"});
  const auto& own = recipe.get<TranslationOptions>();
  EXPECT_EQ(own.training.steps, 7);
  EXPECT_EQ(own.training.weights.cycle, 3);
  EXPECT_EQ(own.training.weights.classifier, 0);
  EXPECT_EQ(own.training.average, 0.5);
  EXPECT_TRUE(translates(recipe.values));
  EXPECT_TRUE(independent_kind().asked(recipe.values));  // the judge
  EXPECT_FALSE(translates(with({}).values));
  EXPECT_TRUE(contains(usage_error_of([&] { with({"translation.average=1"}); }), "translation.average"));
  EXPECT_TRUE(contains(usage_error_of([&] {
                         parse_recipe(kinds(), "[data]\nset = \"sst\"\n", "texts.toml",
                                      {"translation.steps=7"});
                       }),
                       "the recipe is about texts"));
  EXPECT_EQ(metric_named(all_metrics(kinds()), "translation_transfer").better, Better::higher);
}

}  // namespace
}  // namespace whence::kinds
