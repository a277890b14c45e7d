// A set that is one archive: fetched whatever the server does, unpacked without what does not belong to it.
#include <gtest/gtest.h>

#include "data/digest.h"
#include "data/unpack.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/zip_writer.h"
#include "unit/data/fetch_support.h"
#include "whence/data/fetch.h"
#include "whence/data/text/trees.h"

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

/// The Stanford Sentiment Treebank in a zip archive such as its home's.
TEST_F(FetchArchive, BringsTheTreebank) {
  const std::string tree = "(3 (2 a) (3 (3 good) (2 film)))\n";
  std::map<std::string, std::string> files = {{"__MACOSX/trees/._dev.txt", "of another system"}};
  for (const char* name : {"train.txt", "dev.txt", "test.txt"})
    files[std::string("trees/") + name] = name + std::string(1, '\n') + tree;
  put(home_ / "trees.zip", whence::test::zip_of(files));
  const std::string& digest = digests_.emplace_back(digest_of(content(home_ / "trees.zip")));
  std::vector<PublishedFile> published;
  for (const char* name : {"train.txt", "dev.txt", "test.txt"})
    published.push_back({name, digests_.emplace_back(digest_of(files[std::string("trees/") + name]))});
  const Publication zip{{server_->address("plain")}, {{"trees.zip", 0, digest}}, published};
  const KnownSet& sst = known_texts().front();
  EXPECT_EQ(fetch(sst, zip, {.to = to_.path(), .from = ""}), to_ / "sst");
  EXPECT_EQ(names_in(to_ / "sst"), (Names{"dev.txt", "test.txt", "train.txt"}));
  EXPECT_EQ(find_sst(to_ / "sst"), to_ / "sst");
  put(to_ / "sst/dev.txt", tree);
  EXPECT_EQ(differences(zip, *locate(sst, to_ / "sst")).size(), 1u);
  fetch(sst, zip, {.to = to_.path(), .from = ""});
  EXPECT_EQ(content(to_ / "sst/dev.txt"), files["trees/dev.txt"]) << "a damaged set is replaced";
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
