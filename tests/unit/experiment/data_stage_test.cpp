// A run tells whether its data are the published files: copies with other pixels give other results.
#include "experiment/session.h"
#include "experiment/stages.h"
#include "unit/experiment/support.h"
#include "whence/data/known.h"

namespace whence::experiment {
namespace {

namespace fs = std::filesystem;
using whence::test::contains;
using whence::test::TemporaryFolder;

const Kinds kNone;
constexpr const char* kImages = "t10k-images-idx3-ubyte";

class DataStage : public ::testing::Test {
 protected:
  /// Fashion-MNIST in a folder of its own, its test images unpacked.
  fs::path copy_of_fashion_mnist() {
    const fs::path copy = temporary_ / "fashion-mnist";
    fs::copy(data::locate(data::known_set("fashion-mnist"))->folder, copy);
    const at::Tensor images = data::read_idx(copy / (std::string(kImages) + ".gz"));
    fs::remove(copy / (std::string(kImages) + ".gz"));
    data::write_idx(copy / kImages, images);
    return copy;
  }

  StageResult of(const fs::path& recipe, const std::vector<std::string>& settings = {}) {
    Session session(load_recipe(kNone, recipe, settings), RunFolder(temporary_ / "run"));
    return data_stage(session);
  }

  fs::path least() {
    write_file(temporary_ / "least.toml", test_support::kLeast);
    return temporary_ / "least.toml";
  }

  TemporaryFolder temporary_;
};

TEST_F(DataStage, TellsPublishedFilesFromOthers) {
  if (!data::locate(data::known_set("fashion-mnist")))
    GTEST_SKIP() << "Fashion-MNIST is not installed; Debian's package dataset-fashion-mnist has it";
  const fs::path copy = copy_of_fashion_mnist();
  const std::string there = "data.path=" + copy.string();
  const StageResult published = of(least(), {there});
  EXPECT_EQ(published.metrics["files"], "as published");
  EXPECT_TRUE(contains(published.summary, "; files as published")) << published.summary;
  std::string bytes = read_file(copy / kImages);
  bytes[5000] = static_cast<char>(bytes[5000] ^ 4);
  write_file(copy / kImages, bytes);
  const StageResult changed = of(least(), {there});
  EXPECT_EQ(changed.metrics["files"], "not as published");
  EXPECT_TRUE(contains(changed.summary,
                       "files not as published (`whence data check fashion-mnist --path " + copy.string()))
      << changed.summary;
}

TEST_F(DataStage, SaysNothingOfOnesOwnData) {
  const StageResult own =
      of(test_support::write_squares_recipe(temporary_.path(), test_support::kSquaresClassifier));
  EXPECT_FALSE(own.metrics.contains("files"));
  EXPECT_FALSE(contains(own.summary, "published"));
}

}  // namespace
}  // namespace whence::experiment
