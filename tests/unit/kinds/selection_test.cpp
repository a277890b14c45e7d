// Settings are run folders: trained once, shared, resumed, and decided on by their metrics alone.
#include "kinds/gce/selection.h"

#include "experiment/log.h"
#include "experiment/pipeline.h"
#include "unit/data/pictures_support.h"
#include "unit/experiment/support.h"
#include "unit/kinds/support.h"

namespace whence::kinds {
namespace {

using whence::test::contains;
using whence::test::error_of;
using whence::test::TemporaryFolder;
using whence::test::usage_error_of;
namespace fs = std::filesystem;

class SelectionDriver : public ::testing::Test {
 protected:
  SelectionDriver() : recipe_(whence::test_support::write_squares_recipe(temporary_.path())) {}

  static SelectionRequest request(std::vector<std::int64_t> latents = {2, 3}) {
    SelectionRequest request;
    request.rules = gce::selection_options(gce::SelectionRule::standard_error);
    request.rules.latents = std::move(latents);
    request.rules.distance = 1;
    request.steps = 16;
    request.outer = 20;
    request.inner = 10;
    return request;
  }

  Selection select(const SelectionRequest& request, const std::string& out = "selection",
                   std::vector<std::string> settings = {}) {
    settings.insert(settings.begin(), "classifier.epochs=1");
    Display display(DisplayStyle::silent, stderr);
    return run_selection(load_recipe(kinds(), recipe_, settings), temporary_ / out, request, display);
  }

  /// selection.json without what time it took.
  nlohmann::json record(const std::string& out = "selection") const {
    nlohmann::json json = read_json(temporary_ / (out + "/selection.json"));
    json.erase("seconds");
    for (nlohmann::json& trial : json["trials"]) trial.erase("seconds");
    return json;
  }

  TemporaryFolder temporary_;
  fs::path recipe_;
};

TEST_F(SelectionDriver, LeavesARecipeThatRunsItsRecordAndItsFigures) {
  const Selection selection = select(request());
  ASSERT_TRUE(selection.decision.chosen);
  EXPECT_TRUE(selection.complete);
  const fs::path folder = temporary_ / "selection";
  const Recipe chosen = load_recipe(kinds(), folder / "recipe.toml");
  EXPECT_EQ(chosen.get<gce::Training>().causal, selection.decision.chosen->causal);
  EXPECT_EQ(chosen.get<gce::Training>().noncausal, selection.decision.chosen->noncausal);
  EXPECT_EQ(chosen.get<gce::Training>().lambda, selection.decision.chosen->lambda);
  EXPECT_EQ(chosen.get<gce::Training>().steps, 50);  // the recipe's own, not the selection's
  EXPECT_EQ(chosen.get<GeneratorOptions>().start, "");
  EXPECT_EQ(record()["chosen"]["lambda"], chosen.get<gce::Training>().lambda);
  EXPECT_EQ(record()["trials"].size(), selection.trials.size());
  EXPECT_TRUE(contains(table_of(selection), "chosen"));
  const std::string page = read_file(folder / "report.html");
  EXPECT_TRUE(contains(page, gce::describe(*selection.decision.chosen) + " was chosen"));
  for (const std::string& reason : selection.decision.reasons) EXPECT_TRUE(contains(page, reason)) << reason;
  for (const char* figure : {"latents", "lambda", "causal"}) {
    for (const char* ending : {".png", ".svg"})
      EXPECT_TRUE(fs::exists(folder / "figures" / (std::string(figure) + ending))) << figure << ending;
  }
}

TEST_F(SelectionDriver, SettingsAreRunFoldersThatShareOneClassifier) {
  const Selection selection = select(request(), "selection", {"explanation.pretraining=2"});
  const std::string weights = read_file(temporary_ / "selection/classifier/classifier.safetensors");
  for (const SelectionTrial& each : selection.trials) {
    const RunFolder folder(temporary_ / ("selection/" + each.folder));
    const nlohmann::json metrics = read_json(folder / "metrics.json");
    const nlohmann::json measured =
        metrics.at(each.trial.setting.causal == 0 ? "generator" : "gce").at("validation");
    EXPECT_EQ(each.trial.bound(), measured["sse"].get<double>() + measured["kl"].get<double>());
    EXPECT_GT(each.trial.bound_se, 0);
    EXPECT_EQ(read_file(folder / "classifier.safetensors"), weights);
    EXPECT_TRUE(read_curve(folder / "log.jsonl", "classifier").steps.empty());
    const Recipe recipe = load_recipe(kinds(), folder / "recipe.toml");
    const gce::Setting& setting = each.trial.setting;
    EXPECT_EQ(setting.causal == 0 ? setting.latents() : 0, recipe.get<GeneratorOptions>().latents);
    if (setting.reference) {
      EXPECT_EQ(fs::path(recipe.get<GeneratorOptions>().start).filename(),
                fmt::format("latents-{}", setting.latents()));
      EXPECT_EQ(recipe.get<GeneratorTraining>().vae.steps, 16);
    }
    if (setting.causal == 0) continue;
    EXPECT_EQ(each.trial.effect, measured["alpha"]["nats"].get<double>());
    EXPECT_EQ(recipe.get<gce::Training>().steps, setting.pilot ? 4 : 12);
    EXPECT_EQ(recipe.get<gce::Training>().pretraining, setting.pilot ? 2 : 0)
        << "the pilot's is not done again";
    const std::string start = setting.pilot ? fmt::format("latents-{}", setting.latents())
                                            : fs::path(each.folder).filename().string() + "-pilot";
    EXPECT_EQ(fs::path(recipe.get<GeneratorOptions>().start).filename(), start);
  }
}

TEST_F(SelectionDriver, ASecondCallTrainsNothingAndChoosesTheSame) {
  select(request());
  const nlohmann::json before = record();
  std::map<fs::path, fs::file_time_type> weights;
  for (const auto& entry : fs::recursive_directory_iterator(temporary_ / "selection")) {
    if (entry.path().extension() == ".safetensors") weights[entry.path()] = entry.last_write_time();
  }
  select(request());
  EXPECT_EQ(record(), before);
  for (const auto& [path, time] : weights) EXPECT_EQ(fs::last_write_time(path), time) << path;
}

TEST_F(SelectionDriver, ABudgetStopsItAndALargerOneGoesOnToTheSameChoice) {
  SelectionRequest small = request();
  small.budget_seconds = 1e-9;
  EXPECT_TRUE(contains(error_of([&] { select(small); }), "continue with the same command"));
  EXPECT_FALSE(fs::exists(temporary_ / "selection/recipe.toml"));
  EXPECT_EQ(record()["complete"], false);
  EXPECT_EQ(record()["trials"].size(), 0u);
  EXPECT_TRUE(contains(read_file(temporary_ / "selection/report.html"), "No setting could be chosen"));
  select(request());
  select(request(), "whole");
  EXPECT_EQ(record(), record("whole"));
  EXPECT_TRUE(select(small).complete) << "what is done already costs nothing";
}

TEST_F(SelectionDriver, TestImagesHaveNoPartInTheChoiceButValidationImagesHave) {
  const fs::path pictures = temporary_ / "pictures";
  data::test::write_splits(pictures, 8, 6, 6);
  const std::vector<std::string> of_pictures = {"data.set=pictures", "data.class_names=[]",
                                                "data.path=" + pictures.string()};
  const auto chosen = [&](const std::string& out) {
    select(request({2}), out, of_pictures);
    return record(out);
  };
  const nlohmann::json before = chosen("before");
  EXPECT_EQ(before["images"], "validation");
  data::test::write_png(pictures / "test/a/0.png", at::zeros({1, 8, 8}, at::kByte));
  EXPECT_EQ(chosen("other-test"), before);
  data::test::write_png(pictures / "validation/a/0.png", at::zeros({1, 8, 8}, at::kByte));
  EXPECT_NE(chosen("other-validation")["trials"], before["trials"]);
}

TEST_F(SelectionDriver, ASetWithoutValidationImagesIsSaidToBeComparedOnItsTestImages) {
  ::testing::internal::CaptureStderr();
  Display display(DisplayStyle::lines, stderr);
  run_selection(load_recipe(kinds(), recipe_, {"classifier.epochs=1"}), temporary_ / "selection",
                request({2}), display);
  display.finish();
  EXPECT_TRUE(contains(::testing::internal::GetCapturedStderr(), "the set has no validation images"));
  EXPECT_EQ(record()["images"], "test");
}

TEST_F(SelectionDriver, ThePublishedRulesTrainWithoutPilots) {
  for (const gce::SelectionRule rule : {gce::SelectionRule::relative, gce::SelectionRule::reversal}) {
    SelectionRequest published = request();
    published.rules = gce::selection_options(rule);
    published.rules.latents = {2};
    published.rules.distance = 1;
    published.warm_start = false;
    const std::string out(gce::name_of(rule));
    const Selection selection = select(published, out);
    ASSERT_TRUE(selection.decision.chosen);
    for (const SelectionTrial& each : selection.trials) {
      EXPECT_FALSE(each.trial.setting.pilot);
      EXPECT_EQ(load_recipe(kinds(), temporary_ / (out + "/" + each.folder + "/recipe.toml"))
                    .get<GeneratorOptions>()
                    .start,
                "");
    }
  }
}

TEST_F(SelectionDriver, AFolderOfAnotherRecipeOrOfOtherThingsIsLeftAlone) {
  select(request({2}));
  const nlohmann::json before = record();
  EXPECT_TRUE(contains(error_of([&] { select(request({2}), "selection", {"run.seed=5"}); }),
                       "run.seed is 0 there and 5 here"));
  EXPECT_EQ(record(), before);
  write_file(temporary_ / "other/letter.txt", "dear");
  EXPECT_TRUE(contains(error_of([&] { select(request(), "other"); }),
                       "holds 'letter.txt' but no settings: it is not the folder of a selection"));
}

TEST_F(SelectionDriver, ARecipeWithNothingToChooseIsRefusedBeforeAFolderIsMade) {
  const auto refused = [&](const std::string& setting) {
    return usage_error_of([&] { select(request(), "refused", {setting}); });
  };
  EXPECT_TRUE(contains(refused("generator.latents=4"), "generator.latents"));
  EXPECT_TRUE(contains(refused("generator.start=elsewhere"), "generator.start"));
  EXPECT_TRUE(contains(refused("explanation.causal_weight=0"), "explanation.causal_weight"));
  EXPECT_TRUE(contains(refused("explanation.answer_weight=1"), "explanation.answer_weight"));
  EXPECT_TRUE(contains(
      error_of(
          [&] {
            select(request(), "selection", {"explanation.manifold_weight=1", "explanation.pretraining=2"});
          },
          ExitCode::usage),
      "explanation.manifold_weight"));
  SelectionRequest wrong = request();
  wrong.rules.latents = {3, 2};
  EXPECT_TRUE(contains(usage_error_of([&] { select(wrong, "refused"); }), "must rise"));
  EXPECT_FALSE(fs::exists(temporary_ / "refused"));
}

}  // namespace
}  // namespace whence::kinds
