// A set of several files is fetched whole or not at all, whatever the server does; what is published of each set.
#include "whence/data/fetch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include "support/errors.h"
#include "support/files.h"
#include "unit/data/fetch_support.h"
#include "unit/data/support.h"

namespace fs = std::filesystem;

namespace whence::data {
namespace {

using test::FetchTest;
using whence::test::content;
using whence::test::expect_error;
using whence::test::names_in;
using whence::test::put;
using Names = std::vector<std::string>;

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

TEST(Publication, KnowsEveryFileOfEverySet) {
  for (const auto& sets : {known_sets(), known_texts()}) {
    for (const KnownSet& set : sets) {
      const Publication& known = publication(set);
      EXPECT_FALSE(known.homes.empty()) << set.name;
      for (const std::string& home : known.homes) EXPECT_TRUE(home.ends_with('/')) << home;
      for (const Download& download : known.downloads) {
        EXPECT_TRUE(download.digest.size() == 64 || download.digest.size() == 32) << download.file;
        EXPECT_GT(download.bytes, 0) << download.file;
      }
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
