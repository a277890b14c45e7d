#include "kinds/gce/curves.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "experiment/recipe.h"
#include "kinds/kinds.h"
#include "support/errors.h"
#include "support/files.h"
#include "whence/core/files.h"

namespace whence::kinds {
namespace {

/// No panels where there is no chart.
report::LineChart chart_of(const std::vector<NamedCurve>& curves) {
  return training_chart(curves).value_or(report::LineChart());
}

TEST(TrainingChart, HasAPanelForEachReadingAndALineForEachCurveThatHasIt) {
  const Curve plain{{1, 2}, {{"SSE", {9, 8}}, {"KL", {3, 4}}}};
  Curve causal = plain;
  causal.values["C"] = {0.1, 0.2};
  const report::LineChart both = chart_of({{"plain", plain}, {"causal", causal}});
  ASSERT_EQ(both.panels.size(), 3U);
  EXPECT_EQ(both.panels[0].value_axis, "C (nats)");
  ASSERT_EQ(both.panels[0].series.size(), 1U);
  EXPECT_EQ(both.panels[0].series[0].name, "causal");
  EXPECT_EQ(both.panels[1].series.size(), 2U);
  EXPECT_EQ(both.title, "Training of the explanation");
  EXPECT_EQ(chart_of({{"", plain}}).title, "Training of the autoencoder");
  EXPECT_TRUE(chart_of({{"", Curve{}}}).panels.empty());
}

TEST(CompareTrainings, RefusesWhatIsNoRunOrHasNotBegun) {
  const test::TemporaryFolder folder;
  test::expect_error([&] { compare_trainings(kinds(), {folder / "none"}); }, {"none is not a run folder"});
  write_file(folder / "begun/recipe.toml", "[data]\nset = \"mnist\"\n");
  test::expect_error([&] { compare_trainings(kinds(), {folder / "begun"}); }, {"begun has not begun"},
                     ExitCode::usage);
  experiment::ProgressLog log(folder / "begun/log.jsonl");
  log.append({"explanation", 1, 2, {{"C", 0.1}}});
  test::expect_error([&] { compare_trainings(kinds(), {folder / "begun"}); }, {"no two readings"});
  log.append({"explanation", 2, 2, {{"C", 0.2}}});
  EXPECT_EQ(compare_trainings(kinds(), {folder / "begun"}).panels[0].series[0].y,
            (std::vector<double>{0.1, 0.2}));
}

}  // namespace
}  // namespace whence::kinds
