// whence linear-gaussian from the command to its page.
#include "cli/program.h"

namespace whence {
namespace {

using test::contains;
using test_support::is_error;
using test_support::Workplace;
namespace fs = std::filesystem;

TEST(LinearGaussianProgram, ComesNearTheAnswersAndLeavesAPage) {
  const Workplace workplace;
  const auto outcome = workplace.must_run({"linear-gaussian", "--trainings", "1", "--out", "made"});
  EXPECT_TRUE(contains(outcome.out, "One hyperplane, K = 1"));
  EXPECT_TRUE(contains(outcome.out, "made/report.html"));
  const nlohmann::json metrics = read_json(workplace / "made/metrics.json");
  ASSERT_EQ(metrics.size(), 3u);
  for (const auto& [name, result] : metrics.items()) {
    EXPECT_LT(result.at("angle_degrees").at("median").get<double>(), 6) << name;
    EXPECT_LT(result.at("divergence").get<double>(), 0.02) << name;
    EXPECT_LT(result.at("flow").at("median").get<double>(), 1.1 * result.at("best_flow").get<double>())
        << name;
    EXPECT_GT(result.at("flow").at("least").get<double>(), 0.95 * result.at("best_flow").get<double>())
        << name;
  }
  for (const char* file : {"report.html", "figures/hyperplane_landscape.svg", "figures/and_landscape.png"})
    EXPECT_GT(fs::file_size(workplace / ("made/" + std::string(file))), 0u) << file;
}

TEST(LinearGaussianProgram, LeavesOtherFoldersAlone) {
  const Workplace workplace;
  write_file(workplace / "mine/notes.txt", "mine");
  EXPECT_TRUE(
      is_error(workplace.run({"linear-gaussian", "--out", "mine"}), 1, "holds other things (notes.txt)"));
  EXPECT_FALSE(fs::exists(workplace / "mine/figures"));
  write_file(workplace / "run/recipe.toml", "title = \"another run\"");
  write_file(workplace / "run/metrics.json", "{}");
  EXPECT_TRUE(
      is_error(workplace.run({"linear-gaussian", "--out", "run"}), 1, "holds other things (recipe.toml)"));
  EXPECT_EQ(read_file(workplace / "run/metrics.json"), "{}");
}

}  // namespace
}  // namespace whence
