// Run folders made by hand: what `whence run` would leave, as far as a page of results looks at it.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/errors.h"
#include "support/files.h"
#include "whence/core/files.h"
#include "whence/results/write.h"
#include "whence/run/folder.h"
#include "whence/run/recipe.h"

namespace whence::results {

inline constexpr const char* kRecipe = "[data]\nset = \"fashion-mnist\"\n[explanation]\nsteps = 100\n";

struct MadeRun {
  double flow = 1, sse = 10, kl = 5, seconds = 60;
  std::int64_t seed = 0;
  std::string setting = "run.seed=0";
};

inline void write_run(const std::filesystem::path& path, const MadeRun& made) {
  const run::RunFolder folder(path);
  const std::vector<std::string> settings = {made.setting};
  write_file(folder / "recipe.toml", run::to_toml(run::parse_recipe(kRecipe, "recipe.toml", settings)));
  write_json(folder / "metrics.json", {{"data", {{"files", "as published"}}},
                                       {"gce",
                                        {{"test", {{"sse", made.sse}, {"kl", made.kl}}},
                                         {"information_flow", {{"alpha", {{"nats", made.flow}}}}}}},
                                       {"stages", {{"explanation", {{"seconds", made.seconds}}}}}});
  write_json(folder / "run.json", {{"seed", made.seed},
                                   {"whence", "0.1.0"},
                                   {"machine", {{"processor", "Abacus"}, {"cores", 2}}},
                                   {"precision", {{"chosen", "float32"}}}});
  write_file(folder / "figures/sweep.png", "sweep of seed " + std::to_string(made.seed));
  run::Stamp stamp;
  stamp.finished = true;
  write_stamp(folder, "report", stamp);
}

/// A folder with a page, its recipe and its runs.
class ResultsTest : public ::testing::Test {
 protected:
  ResultsTest() { write_file(folder_ / "recipe.toml", kRecipe); }

  Page load(const std::string& text) const {
    write_file(file(), text);
    return load_page(file());
  }
  /// A page with one experiment.
  Page experiment(const std::string& keys) const {
    return load("title = \"T\"\n[[experiment]]\nname = \"Left or right\"\n" + keys);
  }
  Measured measure(const Page& page) const { return results::measure(page, runs()); }

  std::filesystem::path file() const { return folder_ / "page.toml"; }
  std::filesystem::path runs() const { return folder_ / "runs"; }
  std::filesystem::path out() const { return folder_ / "docs/page.md"; }

  test::TemporaryFolder folder_;
};

}  // namespace whence::results
