#include "report/gnuplot.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "report/chart_frame.h"
#include "report/svg.h"
#include "report/text.h"
#include "whence/core/error.h"

extern char** environ;

namespace whence::report {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
/// A file without a name: no pipe that could fill up, no path that could be left behind.
using Scratch = std::unique_ptr<std::FILE, Close>;

Scratch make_scratch() {
  Scratch file(std::tmpfile());
  if (!file)
    fail("cannot make a temporary file to draw a chart: {}; free some space in the temporary folder",
         std::strerror(errno));
  return file;
}

std::string contents(std::FILE* file) {
  std::string bytes;
  std::rewind(file);
  char buffer[1 << 14];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, file)) bytes.append(buffer, n);
  return bytes;
}

/// gnuplot's standard output for a script on its standard input.
std::string run_gnuplot(const std::string& script) {
  const Scratch input = make_scratch(), output = make_scratch(), errors = make_scratch();
  if (std::fwrite(script.data(), 1, script.size(), input.get()) != script.size() ||
      std::fflush(input.get()) != 0)
    fail("cannot write a temporary file to draw a chart: {}; free some space in the temporary folder",
         std::strerror(errno));
  std::rewind(input.get());

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fileno(input.get()), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(output.get()), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fileno(errors.get()), STDERR_FILENO);
  std::string program = "gnuplot", no_user_settings = "-d";
  char* arguments[] = {program.data(), no_user_settings.data(), nullptr};
  pid_t process = 0;
  const int refused = posix_spawnp(&process, program.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (refused != 0)
    fail("charts are drawn by gnuplot, which cannot be started ({}): install the package gnuplot-nox",
         std::strerror(refused));

  int status = 0;
  while (waitpid(process, &status, 0) < 0) {
    if (errno != EINTR)
      fail("gnuplot disappeared while it drew a chart: {}; run the command again", std::strerror(errno));
  }
  std::string drawn = contents(output.get());
  // Some versions go on after an error and end with status 0.
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || drawn.empty())
    fail("gnuplot could not draw a chart (check its package gnuplot-nox): {}",
         clean_text(contents(errors.get())));
  return drawn;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string literal(std::string_view text, bool is_format) {
  std::string result = "\"";
  bool after_escape =
      false;  // versions differ in how many digits they take, so a digit never follows an escape
  for (const char c : text) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (is_digit(c) && !after_escape) ||
                       c == ' ' || static_cast<unsigned char>(c) >= 0x80;
    const std::string written =
        plain ? std::string(1, c) : fmt::format("\\{:03o}", static_cast<unsigned char>(c));
    result += written;
    if (c == '%' && is_format) result += written;
    after_escape = !plain;
  }
  return result + '"';
}

}  // namespace

std::string gnuplot_string(std::string_view text) { return literal(text, false); }
std::string gnuplot_format(std::string_view text) { return literal(text, true); }

std::string number(double value) { return std::isfinite(value) ? fmt::format("{:.10g}", value) : "NaN"; }

std::string data_block(std::string_view name, std::span<const std::vector<double>> rows) {
  std::string block = fmt::format("${} << EOD\n", name);
  for (const auto& row : rows) {
    for (const double value : row) block += number(value) + ' ';
    block.back() = '\n';
  }
  return block + "EOD\n";
}

Drawing run_chart(const std::string& script, double width, double height, const std::string& title) {
  constexpr double inch_points = 72,
                   inch_pixels = 96;  // pngcairo takes font sizes in points of print, svg in pixels
  const auto terminal = [&](std::string_view name, int scale, double font_scale) {
    return fmt::format(
        "set encoding utf8\nset minussign\n"
        "set terminal {} noenhanced size {},{} font '{},{}' fontscale {} linewidth {} dashlength {} "
        "background rgb "
        "'white'\n{}",
        name, static_cast<int>(width) * scale, static_cast<int>(height) * scale, font_family,
        ChartFrame::label_style.size, font_scale, scale, scale, script);
  };
  Drawing drawing;
  drawing.png = run_gnuplot(terminal(fmt::format("pngcairo pointscale {}", pixels_per_point),
                                     pixels_per_point, pixels_per_point * inch_points / inch_pixels));
  drawing.svg = finish_svg(run_gnuplot(terminal("svg", 1, 1)), title);
  return drawing;
}

}  // namespace whence::report
