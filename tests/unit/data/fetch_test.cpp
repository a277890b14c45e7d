#include "whence/data/fetch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <list>

#include "data/digest.h"
#include "data/unpack.h"
#include "support/errors.h"
#include "support/file_server.h"
#include "support/files.h"
#include "unit/data/support.h"

namespace fs = std::filesystem;

namespace whence::data {
namespace {

using whence::test::content;
using whence::test::expect_error;
using whence::test::FileServer;
using whence::test::names_in;
using whence::test::put;
using whence::test::TemporaryFolder;
using Names = std::vector<std::string>;

const Names idx_names = {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", "train-images-idx3-ubyte",
                         "train-labels-idx1-ubyte"};

/// A small MNIST on a server.
class FetchTest : public testing::Test {
 protected:
  void SetUp() override {
    WHENCE_REQUIRE_PYTHON(python, "http.server");
    test::write_four_files(home_.path(), 1000, 20, ".gz");
    for (const std::string& name : idx_names) {
      const std::string& digest = digests_.emplace_back(digest_of(read_content(home_ / (name + ".gz"))));
      const std::string& file = digests_.emplace_back(name + ".gz");
      published_.downloads.push_back({file, 0, digest});
      published_.files.push_back({name, digest});
    }
    server_.emplace(python, home_.path());
  }
  fs::path fetch_from(const std::string& mode, double patience = 20, int tries = 2,
                      const ProgressCallback& progress = {}) {
    return fetch(known_set("mnist"), published_,
                 {.to = to_.path(), .from = server_->address(mode), .patience = patience, .tries = tries},
                 progress);
  }
  void expect_whole() {
    EXPECT_EQ(names_in(to_.path()), (Names{"mnist"})) << "nothing else is left";
    EXPECT_EQ(names_in(to_ / "mnist"), idx_names);
    for (const std::string& name : idx_names) {
      EXPECT_EQ(content(to_ / ("mnist/" + name)), read_content(home_ / (name + ".gz"))) << name;
    }
  }
  void expect_absent() {
    EXPECT_FALSE(fs::exists(to_ / "mnist"));
    EXPECT_FALSE(locate(known_set("mnist"), to_.path()));
  }
  /// How many requests asked for a part.
  std::ptrdiff_t continued() {
    const Names requests = server_->requests();
    return std::count_if(requests.begin(), requests.end(),
                         [](const std::string& r) { return !r.ends_with(" -"); });
  }

  TemporaryFolder home_, to_;
  std::list<std::string> digests_;  // what the publication's views refer to
  Publication published_;
  std::optional<FileServer> server_;
};

TEST_F(FetchTest, BringsTheSetToItsFolder) {
  std::vector<std::string> stages;
  EXPECT_EQ(fetch_from("plain", 20, 2, [&](const Progress& p) { stages.push_back(p.stage); }), to_ / "mnist");
  expect_whole();
  EXPECT_EQ(server_->requests().size(), 4u);
  EXPECT_NE(std::find(stages.begin(), stages.end(), "train-images-idx3-ubyte.gz"), stages.end());
  EXPECT_EQ(fetch_from("away"), to_ / "mnist") << "what is whole is left alone";
  EXPECT_TRUE(server_->requests().empty());
}

TEST_F(FetchTest, FollowsRedirections) {
  fetch_from("redirected");
  expect_whole();
}

TEST_F(FetchTest, ContinuesWhatAServerCutsOff) {
  ASSERT_GT(fs::file_size(home_ / "train-images-idx3-ubyte.gz"), 6000u) << "three pieces at least";
  fetch_from("truncated");
  expect_whole();
  EXPECT_GE(continued(), 2);
}

TEST_F(FetchTest, ContinuesWhatAnEarlierRunLeft) {
  const auto stop_early = [](const Progress& progress) {
    if (progress.stage == "train-images-idx3-ubyte.gz" && progress.step > 0) fail("stopped");
  };
  expect_error([&] { fetch_from("plain", 20, 2, stop_early); }, {"MNIST could not be fetched: stopped"});
  expect_absent();
  server_->requests();
  const fs::path part = to_ / ".mnist.fetch/train-images-idx3-ubyte.gz.part";
  put(part, content(home_ / "train-images-idx3-ubyte.gz").substr(0, 1234));
  fetch_from("plain");
  expect_whole();
  const Names requests = server_->requests();
  EXPECT_EQ(requests.front(), "plain train-images-idx3-ubyte.gz bytes=1234-")
      << "the test files are there already";
  EXPECT_EQ(requests.size(), 2u);
}

TEST_F(FetchTest, StartsAnewWhereRangesAreIgnored) {
  fs::create_directories(to_ / ".mnist.fetch");
  put(to_ / ".mnist.fetch/train-images-idx3-ubyte.gz.part", std::string(1234, 'x'));
  fetch_from("norange");
  expect_whole();
}

TEST_F(FetchTest, StartsAnewWhenThePartIsOfAnotherVersion) {
  fs::create_directories(to_ / ".mnist.fetch");
  put(to_ / ".mnist.fetch/train-images-idx3-ubyte.gz.part", std::string(1234, 'x'));
  put(to_ / ".mnist.fetch/train-labels-idx1-ubyte.gz.part",
      std::string(123'456, 'x'));  // longer than the file: 416
  fetch_from("plain");
  expect_whole();
}

TEST_F(FetchTest, RefusesDamage) {
  expect_error([&] { fetch_from("corrupt"); },
               {"MNIST could not be fetched", "/corrupt/t10k-images-idx3-ubyte.gz is not the published file",
                "--from"});
  expect_absent();
  fetch_from("plain");
  expect_whole();
}

TEST_F(FetchTest, RefusesWhatIsWellFormedButOtherThanPublished) {
  write_idx(home_ / "t10k-labels-idx1-ubyte.gz", at::zeros({20}, at::kByte));
  expect_error([&] { fetch_from("plain"); },
               {"/plain/t10k-labels-idx1-ubyte.gz is not the published file", "digest"});
  expect_absent();
}

TEST_F(FetchTest, GivesAStalledServerUpAndContinuesLater) {
  const auto start = std::chrono::steady_clock::now();
  expect_error([&] { fetch_from("stalled", 1, 1); }, {"/stalled/t10k-images-idx3-ubyte.gz cannot be loaded"});
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(40));
  expect_absent();
  EXPECT_GT(fs::file_size(to_ / ".mnist.fetch/t10k-images-idx3-ubyte.gz.part"), 0u);
  server_->requests();
  fetch_from("plain");
  expect_whole();
  EXPECT_EQ(continued(), 1);
}

TEST_F(FetchTest, SaysWhatAServerLacks) {
  expect_error([&] { fetch_from("away"); }, {"/away/t10k-images-idx3-ubyte.gz cannot be loaded", "404"});
  EXPECT_EQ(server_->requests().size(), 1u) << "another try would not help";
  expect_error([&] { fetch_from("failing"); }, {"500"});
  EXPECT_EQ(server_->requests().size(), 2u) << "another try might help";
  server_.reset();
  published_.homes = {"http://127.0.0.1:1/"};
  expect_error([&] { fetch(known_set("mnist"), published_, {.to = to_.path(), .from = "", .tries = 1}); },
               {"http://127.0.0.1:1/t10k-images-idx3-ubyte.gz cannot be loaded"});
  EXPECT_EQ(names_in(to_.path()), Names{}) << "nothing was begun";
}

TEST_F(FetchTest, TakesTheNextHomeWhenOneFails) {
  published_.homes = {server_->address("away"), server_->address("corrupt"), server_->address("plain")};
  fetch(known_set("mnist"), published_, {.to = to_.path(), .from = ""});
  expect_whole();
}

TEST_F(FetchTest, TakesAFolder) {
  fetch(known_set("mnist"), published_, {.to = to_.path(), .from = home_.path().string()});
  expect_whole();
  fs::remove_all(to_ / "mnist");
  fs::remove(home_ / "t10k-labels-idx1-ubyte.gz");
  expect_error(
      [&] { fetch(known_set("mnist"), published_, {.to = to_.path(), .from = home_.path().string()}); },
      {"file://", "/t10k-labels-idx1-ubyte.gz cannot be loaded"});
}

TEST_F(FetchTest, ReplacesADamagedSet) {
  fetch_from("plain");
  std::string bytes = content(to_ / "mnist/train-images-idx3-ubyte");
  bytes[100] = static_cast<char>(bytes[100] ^ 1);
  put(to_ / "mnist/train-images-idx3-ubyte", bytes);
  const auto sentences = differences(published_, {to_ / "mnist", Layout::idx});
  ASSERT_EQ(sentences.size(), 1u);
  EXPECT_NE(sentences[0].find("train-images-idx3-ubyte is not as published"), std::string::npos)
      << sentences[0];
  expect_error([&] { fetch_from("away"); }, {"404"});
  EXPECT_EQ(content(to_ / "mnist/train-images-idx3-ubyte"), bytes)
      << "the old one stays until there is a better one";
  fetch_from("plain");
  expect_whole();
}

TEST_F(FetchTest, LetsOneFetchWorkAtATime) {
  fs::create_directories(to_ / ".mnist.fetch");
  const int other = ::open((to_ / ".mnist.fetch/lock").c_str(), O_RDWR | O_CREAT, 0666);
  ASSERT_EQ(::flock(other, LOCK_EX), 0);
  expect_error([&] { fetch_from("plain"); }, {"another `whence data fetch` is loading"});
  ::close(other);
  fetch_from("plain");
  expect_whole();
}

TEST_F(FetchTest, SaysWhereItCannotWrite) {
  put(to_ / "file", "");
  expect_error([&] { fetch(known_set("mnist"), published_, {.to = to_ / "file", .from = "x"}); },
               {"cannot be made", "/file"});
}

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

TEST(Publication, KnowsEveryFileOfEverySet) {
  for (const KnownSet& set : known_sets()) {
    const Publication& known = publication(set);
    EXPECT_FALSE(known.homes.empty()) << set.name;
    for (const std::string& home : known.homes) EXPECT_TRUE(home.ends_with('/')) << home;
    for (const Download& download : known.downloads) {
      EXPECT_TRUE(download.digest.size() == 64 || download.digest.size() == 32) << download.file;
      EXPECT_GT(download.bytes, 0) << download.file;
    }
  }
}

TEST(RealData, IsAsPublished) {
  for (const KnownSet& set : known_sets()) {
    const auto place =
        locate(set, set.folders.empty() ? test::real_data(std::string(set.name)) : set.folders[0]);
    if (!place || place->layout != Layout::idx) continue;
    EXPECT_EQ(differences(publication(set), *place), Names{}) << set.name;
  }
}

}  // namespace
}  // namespace whence::data
