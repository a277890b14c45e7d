#include "whence/core/error.h"

#include <gtest/gtest.h>

#include <new>

namespace whence {
namespace {

template <class Work>
std::string sentence_from(Work&& work) {
  try {
    work();
  } catch (const std::exception& error) {
    return sentence_of(error);
  }
  return "nothing was thrown";
}

TEST(Error, CarriesItsSentenceAndExitCode) {
  try {
    fail("{} has {} images", "file", 3);
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "file has 3 images");
    EXPECT_EQ(error.code(), ExitCode::failed);
  }
  try {
    fail_usage("no key '{}'", "steps");
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "no key 'steps'");
    EXPECT_EQ(error.code(), ExitCode::usage);
  }
}

TEST(SentenceOf, KeepsTheReasonOfACheckAndDropsItsBacktrace) {
  EXPECT_EQ(sentence_from([] { TORCH_CHECK(false, "two shapes differ. Look at both. And again"); }),
            "two shapes differ");
  EXPECT_EQ(sentence_from([] { TORCH_CHECK(false, "a version like 1.13 or e.g. this stays"); }),
            "a version like 1.13 or e.g. this stays");
  EXPECT_EQ(sentence_from([] { TORCH_CHECK(false, "first line\nsecond line"); }), "first line");
}

TEST(SentenceOf, HidesSourcePositions) {
  const std::string text = sentence_from([] { TORCH_INTERNAL_ASSERT(1 == 2, "the graph has no node"); });
  EXPECT_EQ(text.find(".cpp"), std::string::npos) << text;
  EXPECT_EQ(text.find("bug to PyTorch"), std::string::npos) << text;
  EXPECT_NE(text.find("the graph has no node"), std::string::npos) << text;
  EXPECT_EQ(sentence_from([] { TORCH_CHECK(false, std::string(1'000'000, 'x')); }).size(), 1'000'000u);
  EXPECT_EQ(sentence_from(
                [] { TORCH_CHECK(false, "[enforce fail at inline_container.cc:145] . file is no archive"); }),
            "file is no archive");
}

TEST(SentenceOf, FindsTheReasonAtTheEndOfATorchScriptTraceback) {
  const char* text =
      "The following operation failed in the TorchScript interpreter.\n"
      "Traceback of TorchScript, serialized code (most recent call last):\n"
      "  File \"code/__torch__.py\", line 7, in forward\n"
      "    return torch.matmul(x, w)\n"
      "           ~~~~~~~~~~~~ <--- HERE\n"
      "RuntimeError: mat1 and mat2 shapes cannot be multiplied (3x4 and 5x6)\n";
  EXPECT_EQ(sentence_from([&] { TORCH_CHECK(false, text); }),
            "mat1 and mat2 shapes cannot be multiplied (3x4 and 5x6)");
}

TEST(SentenceOf, MakesOneLineOfWhatLibTorchItselfSays) {
  const std::string text = sentence_from([] {
    at::conv2d(at::zeros({1, 2, 5, 5}), at::zeros({4, 3, 3, 3}));
  });
  EXPECT_NE(text.find("to have 3 channels, but got 2 channels"), std::string::npos) << text;
  for (const char* part : {"\n", ".cpp", ".h:", "Exception raised", "frame #"}) {
    EXPECT_EQ(text.find(part), std::string::npos) << text;
  }
}

TEST(SentenceOf, PutsOtherExceptionsOnOneLine) {
  EXPECT_EQ(sentence_of(std::runtime_error("  one\n\ttwo   three \n")), "one two three");
  EXPECT_EQ(sentence_of(Error("as it is")), "as it is");
  EXPECT_EQ(sentence_of(std::runtime_error("")), "failed without saying why");
  EXPECT_NE(sentence_of(std::bad_alloc()).find("memory"), std::string::npos);
}

}  // namespace
}  // namespace whence
