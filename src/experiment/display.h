// Progress for a person: one line that renews itself on a terminal, plain lines elsewhere.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include "whence/core/progress.h"

namespace whence::experiment {

enum class DisplayStyle { silent, lines, terminal };

/// `terminal` when `stream` is one, otherwise `lines`.
DisplayStyle style_for(std::FILE* stream);

/// "explanation  1200/8000  15 %  16.2 steps/s  6:58 left  C 1.031  SSE 15.20  KL 7.31"; on a terminal with a bar
/// before it when there are no readings.
class Display {
 public:
  Display(DisplayStyle style, std::FILE* stream) : style_(style), stream_(stream) {}

  /// On a terminal shown ten times a second, elsewhere every ten seconds.
  void show(const Progress& progress);
  /// One lasting line, such as the end of a stage.
  void note(std::string_view line);
  /// Leaves the cursor on a fresh line.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  std::string line(const Progress& progress, Clock::time_point now) const;
  void clear();

  DisplayStyle style_;
  std::FILE* stream_;
  std::string stage_;
  std::int64_t first_step_ = 0, last_step_ = 0;
  Clock::time_point started_, shown_;
  bool unfinished_ = false;  // a line that the next one replaces
};

/// "6:58", "1:02:03".
std::string clock_time(double seconds);

}  // namespace whence::experiment
