// Problems whose answer is known, as a person runs them.
#include "cli/program.h"

namespace whence {
namespace {

using test::contains;
using test_support::is_error;
using test_support::Workplace;

TEST(TruthCommand, PrintsATableAndWritesAPage) {
  Workplace workplace;
  const std::vector<std::string> short_run = {"attribute", "--truth",  "--count",     "8",         "--method",
                                              "gradient",  "--method", "lrp_epsilon", "--threads", "1"};
  std::vector<std::string> with_page = short_run;
  with_page.insert(with_page.end(), {"--out", "truth"});
  const auto done = workplace.must_run(with_page);
  EXPECT_TRUE(contains(done.out, "seconds an image"));
  EXPECT_TRUE(contains(done.out, "edge filter"));
  EXPECT_TRUE(contains(done.out, "disconnected cells"));
  const nlohmann::json found = read_json(workplace / "truth/truth.json");
  const nlohmann::json& problems = found.at("problems");
  EXPECT_GE(problems.size(), 13U);  // the grid needs CIFAR-10
  EXPECT_GE(problems.at("linear").at("methods").at("gradient").at("precision").at("mean").get<double>(), 0.9);
  EXPECT_LE(problems.at("cells").at("methods").at("lrp_epsilon").at("outside").at("mean").get<double>(),
            1e-6);
  EXPECT_TRUE(contains(read_file(workplace / "truth/truth.html"), "Methods by problems"));
  EXPECT_TRUE(std::filesystem::exists(workplace / "truth/truth.svg"));
  EXPECT_TRUE(is_error(workplace.run({"attribute", "--truth", "--classifier", "C.pt"}), 2, "leave out"));
  EXPECT_TRUE(is_error(workplace.run({"attribute", "--truth", "--count", "1"}), 2, "2 images or more"));
}

}  // namespace
}  // namespace whence
