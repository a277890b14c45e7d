// Pickles that LibTorch would believe: refused before it reads them.
#include "interchange/script_pickles.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"
#include "support/zip_writer.h"
#include "whence/interchange/torchscript.h"

namespace whence::interchange {
namespace {

using namespace std::string_literals;

/// An archive whose objects are this pickle, with one storage of four numbers of 4 bytes.
std::string archive_of(const std::string& instructions) {
  return test::zip_of({{"m/constants.pkl", "\x80\x02)."},
                       {"m/data.pkl", "\x80\x02"s + instructions + "."},
                       {"m/data/0", std::string(16, '\0')}});
}

std::string storage_of(char numbers) {
  return "(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0"s + "0X\x03\0\0\0cpuK"s + numbers + "tQ";
}

void expect_pickle_refused(const std::string& instructions, const std::string& why) {
  const test::TemporaryFolder folder;
  const std::filesystem::path file = folder / "m.pt";
  test::put(file, archive_of(instructions));
  test::expect_error([&] { check_script_pickles(file); }, {file.string(), "damaged", why});
  test::expect_error([&] { nn::ScriptModule module(file); }, {file.string(), "damaged"});
}

TEST(ScriptPickles, PlacesThatNothingMadeAreRefused) {
  expect_pickle_refused("}r\xff\xff\xff\xff", "not there");  // 64 GiB of memo
  expect_pickle_refused("j\x05\0\0\0"s, "not there");
}

TEST(ScriptPickles, StoragesLongerThanTheirEntryAreRefused) {
  expect_pickle_refused(storage_of(5), "larger than its numbers");
  const test::TemporaryFolder folder;
  test::put(folder / "m.pt", archive_of(storage_of(4)));
  EXPECT_NO_THROW(check_script_pickles(folder / "m.pt"));
}

TEST(ScriptPickles, PicklesThatAreNotReadMayNameAnything) {
  const test::TemporaryFolder folder;
  test::put(folder / "m.pt", test::zip_of({{"m/traced_inputs.pkl", "\x80\x02" + storage_of(5) + "."}}));
  EXPECT_NO_THROW(check_script_pickles(folder / "m.pt"));
}

TEST(ScriptPickles, BrokenContainersAreRefused) {
  expect_pickle_refused("}(K\x01u", "key without a value");
  expect_pickle_refused("K\x01\x86", "out of order");
  expect_pickle_refused("t", "out of order");
  expect_pickle_refused("X\xff\xff\xff\xff", "end early");
}

TEST(ScriptPickles, EndlessNestingIsRefused) {
  expect_pickle_refused(")" + std::string(100'000, '\x85'), "too deeply");
  expect_pickle_refused(std::string(100'000, ']') + std::string(99'999, 'a'), "too deeply");
}

}  // namespace
}  // namespace whence::interchange
