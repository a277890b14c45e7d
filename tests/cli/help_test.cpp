// What the program says about itself.
#include <cstdlib>

#include "cli/program.h"

namespace whence {
namespace {

using test::contains;
using test_support::Workplace;

const std::vector<std::string> kCommands = {
    "run",     "train",  "flow",       "sweep",     "ablate",    "counterfactual",
    "trust",   "select", "report",     "curves",    "data",      "import",
    "export",  "recipe", "completion", "attribute", "visualize", "linear-gaussian",
    "modules", "causes", "merge",      "explore",   "translate"};

TEST(Help, EverySubcommandHasExamples) {
  const Workplace workplace;
  const auto general = workplace.must_run({"--help"});
  for (const std::string& command : kCommands) {
    EXPECT_TRUE(contains(general.out, "\n  " + command + " "));
    const auto help = workplace.must_run({command, "--help"});
    EXPECT_TRUE(contains(help.out, "Examples:\n  whence " + command));
    EXPECT_EQ(help.err, "");
  }
}

TEST(Help, FlagsTellTheirDefaultAndRange) {
  const Workplace workplace;
  const std::string select = workplace.must_run({"select", "--help"}).out;
  for (const char* line :
       {"--rule NAME=standard-error ", "(one of 'relative', 'reversal', 'standard-error')\n",
        "--plateau X=0.01 ", " (from 0 to 1; share)\n", "--samples NxN=200x200 ", "--latents N,N,...=2,3,4,",
        "--fresh  "})
    EXPECT_TRUE(contains(select, line));
  EXPECT_TRUE(contains(workplace.must_run({"sweep", "--help"}).out, "--out DIR  "));
}

TEST(Help, VersionNamesWhatItIsBuiltOn) {
  const Workplace workplace;
  const std::string text = workplace.must_run({"--version"}).out;
  for (const char* name : {"whence ", "LibTorch ", "BLAS "}) EXPECT_TRUE(contains(text, name));
}

TEST(Help, DataListNamesTheKnownSets) {
  const Workplace workplace;
  EXPECT_TRUE(contains(workplace.must_run({"data", "list"}).out, "fashion-mnist"));
  const auto sets = nlohmann::json::parse(workplace.must_run({"data", "list", "--json"}).out);
  EXPECT_EQ(sets[0]["classes"].size(), 10u);
}

TEST(Help, BashCompletesCommandsAndOptions) {
  const Workplace workplace;
  write_file(workplace / "completion", workplace.must_run({"completion", "bash"}).out);
  const auto completed = [&](const std::string& words, int at) {
    const std::string script = fmt::format(
        "cd '{}' && bash -c 'source completion; COMP_WORDS=({}); COMP_CWORD={}; _whence; "
        "printf \"%s \" \"${{COMPREPLY[@]}}\"' > words",
        workplace.path().string(), words, at);
    EXPECT_EQ(std::system(script.c_str()), 0);
    return read_file(workplace / "words");
  };
  EXPECT_EQ(completed("whence sw", 1), "sweep ");
  EXPECT_EQ(completed("whence flow --samp", 2), "--samples --sampling ");
  EXPECT_TRUE(contains(completed("whence data ch", 2), "check"));
}

TEST(Help, RecipeReferenceAndResolvedRecipe) {
  const Workplace workplace;
  EXPECT_TRUE(contains(workplace.must_run({"recipe", "--reference"}).out, "| `lambda` |"));
  test_support::write_squares_recipe(workplace.path());
  const auto resolved = workplace.must_run({"recipe", "recipe-of-squares.toml", "--set", "run.seed=9"});
  EXPECT_TRUE(contains(resolved.out, "seed = 9\n"));
  EXPECT_TRUE(contains(resolved.out, "steps = 50\n"));
}

}  // namespace
}  // namespace whence
