// A run of the recipe of squares in a folder of its own, and which of its stages some work does.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "experiment/pipeline.h"
#include "experiment/stages.h"
#include "support/files.h"
#include "unit/experiment/support.h"
#include "unit/kinds/support.h"

namespace whence::kinds {

class Pipeline : public ::testing::Test {
 protected:
  Pipeline() : recipe_(whence::test_support::write_squares_recipe(temporary_.path())) {}

  void run(const std::vector<std::string>& settings = {}, PipelineOptions options = {}) {
    std::vector<std::string> all = {"explanation.steps=4", "classifier.epochs=1"};
    all.insert(all.end(), settings.begin(), settings.end());
    Session session(load_recipe(kinds(), recipe_, all), folder_);
    Display display(DisplayStyle::silent, stderr);
    if (options.last == "report")
      options.last = "evaluation";  // figures are drawn in the tests of the program
    run_stages(session, options, display);
  }

  /// Which stages were done (again) by `work`.
  template <class Work>
  std::vector<std::string> done_by(Work work) {
    std::map<std::string, std::string> before;
    for (const Stage& stage : stages(kinds()))
      before[std::string(stage.name)] = read_stamp(folder_, stage.name).fingerprint;
    work();
    std::vector<std::string> done;
    for (const Stage& stage : stages(kinds())) {
      const std::string now = read_stamp(folder_, stage.name).fingerprint;
      if (!now.empty() && now != before[std::string(stage.name)]) done.emplace_back(stage.name);
    }
    return done;
  }

  using Names = std::vector<std::string>;
  whence::test::TemporaryFolder temporary_;
  std::filesystem::path recipe_;
  RunFolder folder_{temporary_ / "run"};
};

}  // namespace whence::kinds
