// whence data, as a person without a network uses it.
#include "cli/program.h"
#include "support/environment.h"
#include "support/errors.h"
#include "whence/data/fetch.h"

namespace whence {
namespace {

using test::contains;
using test_support::is_error;
using test_support::Workplace;
namespace fs = std::filesystem;

/// Fashion-MNIST's four compressed files, where Debian puts them.
class DataCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(mirror_)) GTEST_SKIP() << "no " << mirror_ << " (apt-get install dataset-fashion-mnist)";
  }
  fs::path mirror_ = "/usr/share/datasets/fashion-mnist";
  Workplace workplace_;
  test::EnvironmentVariable variable_{"WHENCE_DATA", (workplace_ / "sets").string()};
};

TEST_F(DataCommand, FetchesListsAndChecks) {
  const auto fetched = workplace_.must_run({"data", "fetch", "fashion-mnist", "--from", mirror_.string()});
  EXPECT_EQ(fetched.out, fmt::format("fashion-mnist: {}\n", (workplace_ / "sets/fashion-mnist").string()));
  const auto sets = nlohmann::json::parse(workplace_.must_run({"data", "list", "--json"}).out);
  EXPECT_EQ(sets[1]["folder"], (workplace_ / "sets/fashion-mnist").string());
  EXPECT_EQ(sets[1]["bytes"], 47'040'016 + 60'008 + 7'840'016 + 10'008);
  const auto whole = workplace_.must_run({"data", "check", "fashion-mnist"});
  EXPECT_TRUE(contains(whole.out, "60000 training, 6000 validation and 4000 test images of 28 x 28"));
  EXPECT_TRUE(contains(whole.out, "complete, as published"));
}

TEST_F(DataCommand, SaysWhatIsDamaged) {
  workplace_.must_run({"data", "fetch", "fashion-mnist", "--from", mirror_.string()});
  const fs::path images = workplace_ / "sets/fashion-mnist/t10k-images-idx3-ubyte";
  std::string bytes = read_file(images);
  bytes[5000] = static_cast<char>(bytes[5000] ^ 4);
  write_file(images, bytes);
  const auto changed = workplace_.run({"data", "check", "fashion-mnist"});
  EXPECT_EQ(changed.code, 1);
  EXPECT_TRUE(contains(changed.out, "t10k-images-idx3-ubyte is not as published"));
  EXPECT_TRUE(contains(changed.err, "damaged or not the published version: fashion-mnist"));
  write_file(images, bytes.substr(0, 10'000));
  EXPECT_TRUE(is_error(workplace_.run({"data", "check", "fashion-mnist"}), 1, "t10k-images-idx3-ubyte"));
}

TEST_F(DataCommand, LeavesNothingWhenItFails) {
  const auto outcome =
      workplace_.run({"data", "fetch", "mnist", "--from", mirror_.string(), "--to", "there"});
  EXPECT_TRUE(is_error(outcome, 1, "is not the published file"));
  EXPECT_FALSE(fs::exists(workplace_ / "there/mnist"));
  EXPECT_TRUE(is_error(workplace_.run({"data", "fetch", "mnist", "--from", "nowhere", "--to", "elsewhere"}),
                       1, "--from nowhere: there is no such folder"));
  EXPECT_FALSE(fs::exists(workplace_ / "elsewhere"));
  EXPECT_TRUE(is_error(workplace_.run({"data", "fetch", "minst"}), 2, "did you mean 'mnist'?"));
  EXPECT_TRUE(is_error(workplace_.run({"data", "fetch"}), 2, "name"));
}

}  // namespace
}  // namespace whence
