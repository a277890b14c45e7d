#include "experiment/display.h"

#include <unistd.h>

namespace whence::experiment {
namespace {

double seconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

/// "[=======             ] "
std::string bar(const Progress& progress) {
  constexpr std::int64_t width = 20;
  const std::int64_t done = std::clamp<std::int64_t>(width * progress.step / progress.total, 0, width);
  return fmt::format("[{:=<{}}{:{}}] ", "", done, "", width - done);
}

}  // namespace

DisplayStyle style_for(std::FILE* stream) {
  return ::isatty(::fileno(stream)) != 0 ? DisplayStyle::terminal : DisplayStyle::lines;
}

std::string clock_time(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::max(0.0, seconds) + 0.5);
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string Display::line(const Progress& progress, Clock::time_point now) const {
  std::string text = fmt::format("{}  {}", progress.stage, progress.step);
  const double taken = seconds(now - started_);
  const auto done = static_cast<double>(progress.step - first_step_);
  if (progress.total > 0) {
    if (style_ == DisplayStyle::terminal && progress.values.empty()) text = bar(progress) + text;
    text += fmt::format("/{}  {} %", progress.total, 100 * progress.step / progress.total);
  }
  if (done > 0 && taken > 0) {
    const double rate = done / taken;
    text += rate >= 1 || progress.unit != "steps" ? fmt::format("  {:.1f} {}/s", rate, progress.unit)
                                                  : fmt::format("  {:.1f} s/step", 1 / rate);
    if (progress.total > 0) {
      text +=
          fmt::format("  {} left", clock_time(static_cast<double>(progress.total - progress.step) / rate));
    }
  }
  for (const auto& [name, value] : progress.values) text += fmt::format("  {} {:.4g}", name, value);
  return text;
}

void Display::show(const Progress& progress) {
  if (style_ == DisplayStyle::silent) return;
  const auto now = Clock::now();
  if (progress.stage != stage_ || progress.step < last_step_) {  // a step back: another training
    stage_ = progress.stage;
    first_step_ = progress.step;
    started_ = now;
    shown_ = style_ == DisplayStyle::terminal ? Clock::time_point() : now;
  }
  last_step_ = progress.step;
  const double interval = style_ == DisplayStyle::terminal ? 0.1 : 10;
  if (seconds(now - shown_) < interval) return;
  shown_ = now;
  const std::string text = line(progress, now);
  if (style_ == DisplayStyle::terminal) {
    std::fputs(("\r\033[K" + text).c_str(), stream_);
    unfinished_ = true;
  } else {
    std::fputs((text + "\n").c_str(), stream_);
  }
  std::fflush(stream_);
}

void Display::clear() {
  if (unfinished_) std::fputs("\r\033[K", stream_);
  unfinished_ = false;
}

void Display::note(std::string_view text) {
  if (style_ == DisplayStyle::silent) return;
  clear();
  std::fputs((std::string(text) + "\n").c_str(), stream_);
  std::fflush(stream_);
}

void Display::finish() {
  if (unfinished_) std::fputs("\n", stream_);
  unfinished_ = false;
  std::fflush(stream_);
}

}  // namespace whence::experiment
