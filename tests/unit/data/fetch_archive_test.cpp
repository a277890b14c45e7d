// A set that is one archive: fetched whatever the server does, unpacked without what does not belong to it.
#include <gtest/gtest.h>

#include "data/digest.h"
#include "data/unpack.h"
#include "support/errors.h"
#include "support/files.h"
#include "unit/data/fetch_support.h"
#include "whence/data/fetch.h"

namespace fs = std::filesystem;

namespace whence::data {
namespace {

using test::FetchTest;
using whence::test::content;
using whence::test::expect_error;
using whence::test::names_in;
using whence::test::put;
using Names = std::vector<std::string>;

/// CIFAR-10 in an archive such as its home's; `work` may add to the folder that is packed.
class FetchArchive : public FetchTest {
 protected:
  void pack(Digest kind = Digest::md5) {
    const std::string command = "tar czf '" + (home_ / "c.tar.gz").string() + "' -C '" +
                                home_.path().string() + "' cifar-10-batches-bin";
    ASSERT_EQ(std::system(command.c_str()), 0);
    const std::string& digest = digests_.emplace_back(digest_of(content(home_ / "c.tar.gz"), kind));
    archive_ = {{server_->address("plain")}, {{"c.tar.gz", 0, digest}}, {}};
  }
  fs::path fetch_archive() { return fetch(known_set("cifar10"), archive_, {.to = to_.path(), .from = ""}); }
  /// What CIFAR-10's archive has, in small; random, so that it does not shrink.
  void write_batches(const fs::path& folder) {
    fs::create_directories(folder);
    Generator generator = make_generator(0, "test/batches");
    for (const char* name :
         {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"}) {
      const at::Tensor bytes = at::randint(0, 256, {2, 3073}, generator, at::kByte);
      bytes.select(1, 0).fill_(1);
      put(folder / fmt::format("{}.bin", name),
          std::string(static_cast<const char*>(bytes.data_ptr()), static_cast<std::size_t>(bytes.numel())));
    }
  }

  Publication archive_;
};

TEST_F(FetchArchive, UnpacksWithoutTheArchivesOwnFolder) {
  const fs::path folder = home_ / "cifar-10-batches-bin";
  write_batches(folder);
  fs::create_symlink("/etc/passwd", folder / "link");
  put(folder / "._test_batch.bin", "of another system");
  pack();
  EXPECT_EQ(fetch_archive(), to_ / "cifar10");
  EXPECT_EQ(names_in(to_ / "cifar10"), (Names{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                              "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"}));
  // NOLINTNEXTLINE(bugprone-unchecked-optional-access): fetch found it there
  EXPECT_EQ(locate(known_set("cifar10"), to_ / "cifar10")->layout, Layout::cifar);
}

/// An archive's one download bears what four small files bear, with either kind of digest.
class FetchFaultyArchive : public FetchArchive, public testing::WithParamInterface<Digest> {
 protected:
  void SetUp() override {
    FetchArchive::SetUp();
    if (IsSkipped()) return;
    write_batches(home_ / "cifar-10-batches-bin");
    pack(GetParam());
    ASSERT_GT(fs::file_size(home_ / "c.tar.gz"), 20'000u);
  }
  fs::path fetch_from(const std::string& mode, double patience = 20) {
    return fetch(known_set("cifar10"), archive_,
                 {.to = to_.path(), .from = server_->address(mode), .patience = patience, .tries = 1});
  }
  void expect_whole() {
    EXPECT_EQ(names_in(to_.path()), (Names{"cifar10"}));
    for (const std::string& name : names_in(home_ / "cifar-10-batches-bin"))
      EXPECT_EQ(content(to_ / ("cifar10/" + name)), content(home_ / ("cifar-10-batches-bin/" + name)))
          << name;
  }
};

TEST_P(FetchFaultyArchive, ContinuesWhereItIsCutAndFollowsRedirections) {
  fetch_from("truncated");
  expect_whole();
  EXPECT_GE(continued(), 1);
  fs::remove_all(to_ / "cifar10");
  fetch_from("redirected");
  expect_whole();
}

TEST_P(FetchFaultyArchive, RefusesDamageAndLeavesNothing) {
  expect_error([&] { fetch_from("corrupt"); },
               {"CIFAR-10 could not be fetched", "/corrupt/c.tar.gz is not the published file"});
  EXPECT_FALSE(fs::exists(to_ / "cifar10"));
  fetch_from("plain");
  expect_whole();
}

TEST_P(FetchFaultyArchive, GivesAStalledServerUpAndContinuesLater) {
  expect_error([&] { fetch_from("stalled", 1); }, {"/stalled/c.tar.gz cannot be loaded"});
  EXPECT_FALSE(fs::exists(to_ / "cifar10"));
  server_->requests();
  fetch_from("plain");
  expect_whole();
  EXPECT_EQ(continued(), 1);
}

INSTANTIATE_TEST_SUITE_P(Digests, FetchFaultyArchive, testing::Values(Digest::sha256, Digest::md5),
                         [](const auto& test) { return test.param == Digest::md5 ? "md5" : "sha256"; });

TEST_F(FetchArchive, RefusesAnArchiveOfSomethingElse) {
  put((fs::create_directories(home_ / "cifar-10-batches-bin"), home_ / "cifar-10-batches-bin/readme"), "x");
  pack();
  expect_error([&] { fetch_archive(); }, {"is not CIFAR-10", "lacks data_batch_1.bin"});
  EXPECT_FALSE(fs::exists(to_ / "cifar10"));
}

TEST_F(FetchArchive, RefusesPathsThatLeadOut) {
  const std::string make =
      "cd '" + home_.path().string() +
      "' && echo x > evil && tar czPf c.tar.gz --transform 's,evil,a/../../../evil,' evil";
  ASSERT_EQ(std::system(make.c_str()), 0);
  expect_error([&] { unpack(home_ / "c.tar.gz", to_ / "a/b"); }, {"is not to be trusted", "/../../evil"});
  const std::string whole = content(home_ / "c.tar.gz");
  put(home_ / "cut.tar.gz", whole.substr(0, whole.size() / 2));
  expect_error([&] { unpack(home_ / "cut.tar.gz", to_ / "a/b"); }, {"/cut.tar.gz is damaged"});
  EXPECT_FALSE(fs::exists(to_ / "evil"));
}

}  // namespace
}  // namespace whence::data
