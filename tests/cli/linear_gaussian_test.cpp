// whence linear-gaussian from the command to its page.
#include "cli/program.h"

namespace whence {
namespace {

using test::contains;
using test_support::is_error;
using test_support::Workplace;
namespace fs = std::filesystem;

const std::string kProblems = std::string(WHENCE_SOURCE_DIR) + "/recipes/gce/linear-gaussian.toml";

TEST(LinearGaussianProgram, ComesNearTheAnswersAndLeavesAPage) {
  const Workplace workplace;
  const auto outcome =
      workplace.must_run({"linear-gaussian", kProblems, "--trainings", "1", "--out", "made"});
  EXPECT_TRUE(contains(outcome.out, "One hyperplane, K = 1"));
  EXPECT_TRUE(contains(outcome.out, "made/report.html"));
  nlohmann::json metrics = read_json(workplace / "made/metrics.json");
  EXPECT_GT(metrics["stages"]["trainings"]["seconds"], 0);
  metrics.erase("stages");
  ASSERT_EQ(metrics.size(), 3u);
  for (const auto& [name, result] : metrics.items()) {
    EXPECT_LT(result.at("angle_degrees").at("median").get<double>(), 6) << name;
    EXPECT_LT(result.at("divergence").get<double>(), 0.02) << name;
    EXPECT_LT(result.at("flow").at("median").get<double>(), 1.1 * result.at("best_flow").get<double>())
        << name;
    EXPECT_GT(result.at("flow").at("least").get<double>(), 0.95 * result.at("best_flow").get<double>())
        << name;
  }
  for (const char* file :
       {"report.html", "figures/hyperplane_landscape.svg", "figures/and_one_cause_landscape.png"})
    EXPECT_GT(fs::file_size(workplace / ("made/" + std::string(file))), 0u) << file;
}

TEST(LinearGaussianProgram, LeavesOtherFoldersAlone) {
  const Workplace workplace;
  write_file(workplace / "mine/notes.txt", "mine");
  EXPECT_TRUE(is_error(workplace.run({"linear-gaussian", kProblems, "--out", "mine"}), 1,
                       "is not empty (notes.txt)"));
  EXPECT_FALSE(fs::exists(workplace / "mine/figures"));
  write_file(workplace / "run/recipe.toml", "title = \"another run\"");
  write_file(workplace / "run/metrics.json", "{}");
  EXPECT_TRUE(is_error(workplace.run({"linear-gaussian", kProblems, "--out", "run"}), 1,
                       "is not empty (recipe.toml)"));
  EXPECT_EQ(read_file(workplace / "run/metrics.json"), "{}");
}

TEST(LinearGaussianProgram, ProblemsOfOnesOwn) {
  const Workplace workplace;
  const std::string problem =
      "title = \"Mine\"\n[[problem]]\nname = \"one\"\ncovariance = [[2, 0, 0], [0, 1, 0], [0, 0, 1]]\n"
      "hyperplanes = [[3, 0, 0]]\nnoncausal = 2\nsteps = 600\n";
  write_file(workplace / "mine.toml", problem);
  workplace.must_run({"linear-gaussian", "mine.toml", "--trainings", "1"});
  const nlohmann::json result = read_json(workplace / "runs/mine/metrics.json").at("one");
  EXPECT_LT(result.at("angle_degrees").at("median").get<double>(), 10);
  EXPECT_FALSE(fs::exists(workplace / "runs/mine/figures/one_landscape.png")) << "three dimensions have none";
  EXPECT_TRUE(contains(workplace.must_run({"linear-gaussian", "--reference"}).out, "| `hyperplanes` |"));
  workplace.must_run({"linear-gaussian", "mine.toml", "--trainings", "1"});
  write_file(workplace / "mine.toml", problem + "lambda = 3\n");
  EXPECT_TRUE(is_error(workplace.run({"linear-gaussian", "mine.toml"}), 1,
                       "runs/mine holds the results of other problems"));
}

TEST(LinearGaussianProgram, WrongProblemsAreRefusedBeforeAFolderIsMade) {
  const Workplace workplace;
  const auto refused = [&](const std::string& lines, const std::string& part) {
    write_file(workplace / "p.toml", "title = \"T\"\n[[problem]]\nname = \"one\"\n" + lines);
    const auto outcome = workplace.run({"linear-gaussian", "p.toml"});
    if (fs::exists(workplace / "runs")) return ::testing::AssertionFailure() << "a folder is left";
    return is_error(outcome, 2, part);
  };
  const std::string plane = "covariance = [[2, 0], [0, 1]]\n", line = "hyperplanes = [[1, 0]]\n";
  EXPECT_TRUE(refused(plane, "p.toml:2: problem.hyperplanes is missing"));
  EXPECT_TRUE(refused(plane + line + "lamda = 1\n", "did you mean 'problem.lambda'?"));
  EXPECT_TRUE(refused("covariance = [[2, 1], [0]]\n" + line, "p.toml:4: problem.covariance is"));
  EXPECT_TRUE(refused("covariance = [[1, 2], [2, 1]]\n" + line,
                      "must be symmetric, with eigenvalues of 0.1 or more"));
  EXPECT_TRUE(
      refused("covariance = [[1, 2]]\n" + line, "must be symmetric, with eigenvalues of 0.1 or more"));
  EXPECT_TRUE(refused(plane + "hyperplanes = [[1, 0, 0]]\n", "each of 2 numbers"));
  EXPECT_TRUE(refused(plane + line + "noncausal = 2\n", "is 3, but must be 2"));
  EXPECT_TRUE(refused(plane + line + "causal = 2\nnoncausal = 0\n", "is not known"));
  EXPECT_TRUE(refused(plane + "hyperplanes = [[0, 0]]\n", "must not be 0, nor parallel"));
  EXPECT_TRUE(refused(plane + "hyperplanes = [[1, 2], [2, 4]]\n", "must not be 0, nor parallel"));
  EXPECT_TRUE(
      refused("covariance = [[9, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]\n"
              "hyperplanes = [[2, 0, 0, 0], [0, 1, 0, 0]]\ncausal = 2\nnoncausal = 2\n",
              "v . x varies by 6.0"));
  EXPECT_TRUE(refused(plane + line + "lambda = 0\n", "a number above 0"));
  EXPECT_TRUE(
      refused(plane + line + "[[problem]]\nname = \"one\"\n" + plane + line, "two problems are called"));
  EXPECT_TRUE(is_error(workplace.run({"linear-gaussian"}), 2, "recipes/gce/linear-gaussian.toml"));
}

}  // namespace
}  // namespace whence
