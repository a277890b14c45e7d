// A small MNIST on a server that can misbehave.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "data/digest.h"
#include "data/unpack.h"
#include "support/file_server.h"
#include "support/files.h"
#include "unit/data/support.h"
#include "whence/data/fetch.h"

namespace whence::data::test {

namespace fs = std::filesystem;

inline const std::vector<std::string> idx_names = {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
                                                   "train-images-idx3-ubyte", "train-labels-idx1-ubyte"};

/// Fetches it from the server to a folder of its own.
class FetchTest : public testing::Test {
 protected:
  void SetUp() override {
    WHENCE_REQUIRE_PYTHON(python, "http.server");
    write_four_files(home_.path(), 1000, 20, ".gz");
    for (const std::string& name : idx_names) {
      const std::string& digest = digests_.emplace_back(digest_of(read_content(home_ / (name + ".gz"))));
      const std::string& file = digests_.emplace_back(name + ".gz");
      published_.downloads.push_back({file, 0, digest});
      published_.files.push_back({name, digest});
    }
    server_ = std::make_unique<whence::test::FileServer>(python, home_.path());
  }
  fs::path fetch_from(const std::string& mode, double patience = 20, int tries = 2,
                      const ProgressCallback& progress = {}) {
    return fetch(known_set("mnist"), published_,
                 {.to = to_.path(), .from = server_->address(mode), .patience = patience, .tries = tries},
                 progress);
  }
  void expect_whole() {
    EXPECT_EQ(whence::test::names_in(to_.path()), (std::vector<std::string>{"mnist"}))
        << "nothing else is left";
    EXPECT_EQ(whence::test::names_in(to_ / "mnist"), idx_names);
    for (const std::string& name : idx_names) {
      EXPECT_EQ(whence::test::content(to_ / ("mnist/" + name)), read_content(home_ / (name + ".gz"))) << name;
    }
  }
  void expect_absent() {
    EXPECT_FALSE(fs::exists(to_ / "mnist"));
    EXPECT_FALSE(locate(known_set("mnist"), to_.path()));
  }
  /// How many requests asked for a part.
  std::ptrdiff_t continued() {
    const std::vector<std::string> requests = server_->requests();
    return std::count_if(requests.begin(), requests.end(),
                         [](const std::string& r) { return !r.ends_with(" -"); });
  }

  whence::test::TemporaryFolder home_, to_;
  std::list<std::string> digests_;  // what the publication's views refer to
  Publication published_;
  std::unique_ptr<whence::test::FileServer> server_;
};

}  // namespace whence::data::test
