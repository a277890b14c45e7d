#include "whence/core/files.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <limits>

#include "support/errors.h"
#include "support/files.h"

namespace fs = std::filesystem;

namespace whence {
namespace {

using test::contains;
using test::content;
using test::error_of;
using test::expect_error;
using test::names_in;
using test::put;
using test::TemporaryFolder;
using Names = std::vector<std::string>;

TEST(WriteFile, ReadsBackWhatItWrote) {
  const TemporaryFolder folder;
  std::string bytes;
  for (int i = 0; i < 300'000; ++i) bytes += static_cast<char>(i * 7 % 256);
  for (const std::string& text : {std::string(), std::string("a\0b\n", 4), bytes}) {
    write_file(folder / "new/deeper/file.bin", text);
    EXPECT_EQ(content(folder / "new/deeper/file.bin"), text);
    EXPECT_EQ(read_file(folder / "new/deeper/file.bin"), text);
  }
  EXPECT_EQ(names_in(folder / "new/deeper"), Names{"file.bin"});
}

TEST(WriteFile, ReadsFilesThatDoNotTellTheirSize) {
  EXPECT_NE(read_file("/proc/self/status").find("VmPeak"), std::string::npos);
}

TEST(WriteFile, WorksOnANameWithoutFolder) {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  write_file("plain", "x");
  fs::current_path(before);
  EXPECT_EQ(names_in(folder.path()), Names{"plain"});
}

TEST(WriteFile, LeavesTheOldFileWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  put(folder / "file.bin", "old");
  {
    const test::FullDisk disk(4096);
    const std::string file = (folder / "file.bin").string();
    EXPECT_EQ(error_of([&] { write_file(file, std::string(100'000, 'x')); }),
              "cannot write " + file + ": File too large");
  }
  EXPECT_EQ(content(folder / "file.bin"), "old");
  EXPECT_EQ(names_in(folder.path()), Names{"file.bin"});
}

TEST(WriteFile, SaysThatTheDeviceIsFull) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "this system has no /dev/full";
  expect_error([] { write_file("/dev/full", "x"); }, {"cannot write /dev/full", "No space left"});
}

TEST(WriteFile, SaysWhyAFolderCannotTakeIt) {
  const TemporaryFolder folder;
  put(folder / "file", "x");
  expect_error([&] { write_file(folder / "file/below.txt", "y"); },
               {"cannot create the folder", "/file", "below.txt"});
  expect_error([&] { write_file(folder.path(), "y"); }, {"is a folder"});
  expect_error([&] { write_file(folder / "", "y"); }, {"is a folder"});
  expect_error([] { write_file("/proc/nowhere/file.txt", "y"); }, {"cannot create the folder /proc/nowhere"});
  EXPECT_EQ(names_in(folder.path()), Names{"file"});
  EXPECT_EQ(content(folder / "file"), "x");
}

/// What write_file says to a user who is not root, whom no permission stops.
std::string refusal_to_nobody(const fs::path& path) {
  int channel[2];
  if (::pipe(channel) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    std::string said = "nothing";
    try {
      if (::geteuid() != 0 || ::seteuid(65534) == 0) write_file(path, "x");
    } catch (const std::exception& error) {
      said = error.what();
    }
    ::_exit(::write(channel[1], said.data(), said.size()) > 0 ? 0 : 1);
  }
  ::close(channel[1]);
  ::waitpid(child, nullptr, 0);
  std::string said(1000, '\0');
  said.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(channel[0], said.data(), said.size()))));
  ::close(channel[0]);
  return said;
}

TEST(WriteFile, NeedsPermission) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "locked");
  fs::permissions(folder / "locked", fs::perms::owner_read | fs::perms::owner_exec);
  const std::string hidden = refusal_to_nobody(folder / "locked/file.txt");
  fs::permissions(folder.path(), fs::perms::all);
  fs::permissions(folder / "locked", fs::perms::others_read | fs::perms::others_exec, fs::perm_options::add);
  for (const std::string& said : {hidden, refusal_to_nobody(folder / "locked/file.txt"),
                                  refusal_to_nobody(folder / "locked/new/file.txt")}) {
    EXPECT_EQ(said.find(".part-"), std::string::npos) << said;
    EXPECT_TRUE(said.starts_with("cannot ")) << said;
    EXPECT_NE(said.find("locked"), std::string::npos) << said;
    EXPECT_NE(said.find("Permission denied"), std::string::npos) << said;
  }
}

TEST(WriteFile, KeepsASymbolicLink) {
  const TemporaryFolder folder;
  put(folder / "target", "old");
  fs::create_symlink("target", folder / "link");
  write_file(folder / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(content(folder / "target"), "new");
}

TEST(WriteFileWith, GivesAPathWithTheSameExtensionAndFolder) {
  const TemporaryFolder folder;
  fs::path given;
  write_file_with(folder / "figure.svg", [&](const fs::path& temporary) {
    given = temporary;
    EXPECT_FALSE(fs::exists(folder / "figure.svg"));
    put(temporary, "<svg/>");
  });
  EXPECT_EQ(given.extension(), ".svg");
  EXPECT_EQ(given.parent_path(), folder.path());
  EXPECT_EQ(content(folder / "figure.svg"), "<svg/>");
  EXPECT_EQ(names_in(folder.path()), Names{"figure.svg"});
}

TEST(WriteFileWith, RemovesWhatAFailedWriterLeft) {
  const TemporaryFolder folder;
  put(folder / "file.txt", "old");
  const auto broken = [](const fs::path& temporary) {
    put(temporary, "half");
    fail("the writer gave up");
  };
  expect_error([&] { write_file_with(folder / "file.txt", broken); }, {"the writer gave up"});
  EXPECT_EQ(content(folder / "file.txt"), "old");
  EXPECT_EQ(names_in(folder.path()), Names{"file.txt"});
  expect_error([&] { write_file_with(folder / "file.txt", [](const fs::path&) {}); }, {"cannot write"});
  EXPECT_EQ(content(folder / "file.txt"), "old");
}

TEST(WriteFileWith, NamesTheFileThatWasAskedForInErrorsOfTheWriter) {
  const TemporaryFolder folder;
  const fs::path file = folder / "figure.svg";
  const auto about = [](const fs::path& temporary) { return "no room for " + temporary.string() + " here"; };
  const std::string named = "no room for " + file.string() + " here";
  EXPECT_EQ(error_of([&] { write_file_with(file, [&](const fs::path& t) { fail_usage("{}", about(t)); }); },
                     ExitCode::usage),
            named);
  EXPECT_EQ(error_of([&] {
              write_file_with(file, [&](const fs::path& t) { throw std::runtime_error(about(t)); });
            }),
            "cannot write " + file.string() + ": " + named);
  fs::create_symlink("figure.svg", folder / "link");
  EXPECT_TRUE(contains(error_of([&] { write_file_with(folder / "link", [](const fs::path&) {}); }),
                       "cannot write " + (folder / "link").string() + ": No such file"));
}

TEST(WriteFileWith, ClearsWhatAKilledProcessLeft) {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    write_file_with(folder / "state.bin", [](const fs::path& temporary) {
      put(temporary, "half");
      ::kill(::getpid(), SIGKILL);
    });
  }
  ::waitpid(child, nullptr, 0);
  put(folder / ".state.notes", "another's");
  ASSERT_EQ(names_in(folder.path()).size(), 2u);
  write_file(folder / "state.bin", "whole");
  EXPECT_EQ(names_in(folder.path()), (Names{".state.notes", "state.bin"}));
}

TEST(ReadFile, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  expect_error([&] { read_file(folder / "none"); }, {"cannot read", "/none", "No such file"});
  expect_error([&] { read_file(folder.path()); }, {"cannot read", "is a folder"});
}

TEST(Json, ReadsBackAndWritesNotANumberAsNull) {
  const TemporaryFolder folder;
  const nlohmann::json value = {{"a", {1, 2.5}}, {"b", std::numeric_limits<double>::quiet_NaN()}};
  write_json(folder / "value.json", value);
  EXPECT_EQ(content(folder / "value.json"), "{\n  \"a\": [\n    1,\n    2.5\n  ],\n  \"b\": null\n}\n");
  EXPECT_EQ(read_json(folder / "value.json")["a"], value["a"]);
}

TEST(Json, WritesTextThatIsNotUtf8) {
  const TemporaryFolder folder;
  write_json(folder / "value.json", "caf\xe9");
  EXPECT_EQ(read_json(folder / "value.json"), "caf\xef\xbf\xbd");
}

TEST(Json, PointsAtTheLineAndColumn) {
  const TemporaryFolder folder;
  put(folder / "bad.json", "{\n  \"a\": 1,\n  \"b\": nope\n}\n");
  expect_error([&] { read_json(folder / "bad.json"); }, {"bad.json is not JSON", "line 3, column 9"});
  put(folder / "cut.json", "{\"a\": [1, 2");
  expect_error([&] { read_json(folder / "cut.json"); }, {"cut.json is not JSON", "line 1, column 12"});
  put(folder / "empty.json", "");
  expect_error([&] { read_json(folder / "empty.json"); }, {"empty.json is not JSON", "line 1"});
}

}  // namespace
}  // namespace whence
