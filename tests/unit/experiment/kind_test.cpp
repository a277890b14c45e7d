// A kind of explanation is one value: the recipe, the stages, metrics.json, [expected], the figures and the report have it then.
#include "experiment/kind.h"

#include "experiment/figures.h"
#include "experiment/pipeline.h"
#include "experiment/seeds.h"
#include "experiment/stages.h"
#include "unit/experiment/support.h"

namespace whence::experiment {
namespace {

using whence::test::contains;
using whence::test::error_of;
using whence::test::TemporaryFolder;

struct ToyOptions {
  std::int64_t images = 0;
};

StageResult mean_intensity(Session& session) {
  const at::Tensor images = session.data().test.images.slice(0, 0, session.get<ToyOptions>().images);
  write_file(session.folder() / "toy.txt", "made");
  return {{{"mean", images.to(at::kFloat).mean().item<double>()}}, {"toy.txt"}, ""};
}

/// How bright the first images are.
Kinds toy_kinds() {
  Kind kind{"toy",
            "How bright images are.",
            {{"toy",
              "Brightness.",
              {{"images", config::Integer{config::at(&ToyOptions::images), 0, 200}, "images", "How many."}}}},
            [](const config::Values& values) { return values.get<ToyOptions>().images > 0; }};
  kind.stages = {{"brightness", {"toy"}, {"data"}, mean_intensity}};
  kind.metrics = {{"mean", "mean intensity", "", 1, Better::neither, "Of the bytes.", "toy.mean"}};
  kind.figures = [](Run& run, Figures& figures) {
    write_file(figures.stem("toy").string() + ".svg", run.metrics.at("toy").dump());
  };
  kind.report = [](const Run& run, report::Page& page) {
    page.answer = "Images are bright.";
    page.sections.push_back({"toy", "Brightness of images", {run.metrics.at("toy").dump()}, {}, {}});
  };
  return {kind};
}

class OneKind : public ::testing::Test {
 protected:
  OneKind()
      : recipe_(test_support::write_squares_recipe(temporary_.path(), test_support::kSquaresClassifier)) {}

  void run(const std::vector<std::string>& settings) {
    Session session(load_recipe(kinds_, recipe_, settings), folder_);
    Display display(DisplayStyle::silent, stderr);
    run_stages(session, {}, display);
  }
  nlohmann::json metrics() const { return read_json(folder_ / "metrics.json"); }
  std::string page() const { return read_file(folder_ / "report.html"); }

  TemporaryFolder temporary_;
  std::filesystem::path recipe_;
  Kinds kinds_ = toy_kinds();
  RunFolder folder_{temporary_ / "run"};
};

TEST_F(OneKind, IsInEveryPlaceOfARun) {
  run({"toy.images=10", "expected.mean=50.25"});
  EXPECT_GT(metrics().at("toy").at("mean"), 10);
  EXPECT_TRUE(metrics().at("stages").contains("brightness"));
  EXPECT_EQ(read_file(folder_ / "figures/toy.svg"), metrics().at("toy").dump());
  for (const char* text : {"Images are bright.", "Brightness of images", "mean intensity", "50.2"})
    EXPECT_TRUE(contains(page(), text)) << text;
  EXPECT_TRUE(contains(recipe_reference(kinds_), "## [toy] of toy"));
}

TEST_F(OneKind, LeavesNothingWhereItIsNotAskedForAnyMore) {
  run({"toy.images=10"});
  run({"toy.images=0"});
  EXPECT_FALSE(metrics().contains("toy"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "toy.txt"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "figures/toy.svg"));
  EXPECT_TRUE(contains(page(), "The classifier is right on"));
  EXPECT_FALSE(contains(page(), "Brightness of images"));
}

TEST_F(OneKind, ItsStageIsDoneAgainWhereItsKeysChangeAndNotElse) {
  run({"toy.images=10"});
  const auto fingerprint = [&] { return read_stamp(folder_, "brightness").fingerprint; };
  const std::string first = fingerprint();
  run({"toy.images=10", "title=Another"});
  EXPECT_EQ(fingerprint(), first);
  run({"toy.images=11"});
  EXPECT_NE(fingerprint(), first);
}

TEST_F(OneKind, IsUnknownToARunWithoutIt) {
  EXPECT_TRUE(contains(error_of([&] { load_recipe({}, recipe_, {"toy.images=1"}); }, ExitCode::usage),
                       "there is no recipe key 'toy.images'"));
  EXPECT_EQ(last_training(kinds_, {}), "classifier");
}

TEST_F(OneKind, SpreadsOverSeeds) {
  Display display(DisplayStyle::silent, stderr);
  const Recipe recipe = load_recipe(kinds_, recipe_, {"toy.images=10"});
  const std::vector<SeedRun> runs = run_seeds(recipe, temporary_ / "seeds", 2, false, display);
  const SeedSpread spread(recipe, runs);
  ASSERT_NE(spread.find("mean"), nullptr);
  EXPECT_EQ(spread.find("mean")->values.size(), 2u);
  report_seeds(spread, temporary_ / "seeds");
  EXPECT_TRUE(
      contains(read_file(temporary_ / "seeds/report.html"), "With 2 seeds the classifier is right on"));
}

}  // namespace
}  // namespace whence::experiment
