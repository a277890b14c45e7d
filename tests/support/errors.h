// What an error says to a user.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "whence/core/error.h"

namespace whence::test {

inline ::testing::AssertionResult contains(std::string_view text, std::string_view part) {
  if (text.find(part) != std::string_view::npos)
    return ::testing::AssertionSuccess() << "'" << text << "' holds '" << part << "'";
  return ::testing::AssertionFailure() << "'" << text << "' lacks '" << part << "'";
}

/// The sentence of the Error that `work` must throw, with its exit code.
template <class Work>
std::string error_of(Work&& work, ExitCode code = ExitCode::failed) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

/// As error_of, of wrong usage.
template <class Work>
std::string usage_error_of(Work&& work) {
  return error_of(std::forward<Work>(work), ExitCode::usage);
}

/// Runs `work`, which must throw an Error with this exit code whose one line contains every one of `parts`.
template <class Work>
void expect_error(Work&& work, const std::vector<std::string>& parts, ExitCode code = ExitCode::failed) {
  const std::string sentence = error_of(work, code);
  for (const std::string& part : parts) EXPECT_TRUE(contains(sentence, part));
  EXPECT_FALSE(contains(sentence, "\n"));
}

}  // namespace whence::test
