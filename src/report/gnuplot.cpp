#include "report/gnuplot.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

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
      fail("lost sight of gnuplot while it drew a chart: {}; run it again", std::strerror(errno));
  }
  std::string drawn = contents(output.get());
  // Some versions go on after an error and end with status 0.
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || drawn.empty())
    fail("gnuplot could not draw a chart (check its package gnuplot-nox): {}",
         clean_text(contents(errors.get())));
  return drawn;
}

std::string literal(std::string_view text, bool is_format) {
  std::string result = "\"";
  for (const char c : text) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == ' ' || static_cast<unsigned char>(c) >= 0x80;
    if (c == '%' && is_format) result += "\\045";
    result += plain ? std::string(1, c) : fmt::format("\\{:03o}", static_cast<unsigned char>(c));
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

std::string chart_style() {
  return fmt::format(
      "set border 3 linecolor rgb '{axis}'\n"
      "set tics nomirror out scale 0.4 textcolor rgb '{ink}'\n"
      "set grid ytics linetype 1 linewidth 0.75 linecolor rgb '{rule}'\n"
      "set grid back\n"
      "set key noautotitle textcolor rgb '{ink}'\n",
      fmt::arg("axis", hex(faint_ink)), fmt::arg("ink", hex(ink)), fmt::arg("rule", hex(rule)));
}

std::string chart_title(const std::vector<std::string>& lines, double height) {
  std::string script;
  double baseline = chart_margin + 13;
  for (const auto& line : lines) {
    script += fmt::format(
        "set label {} at graph 0, screen {:.5f} left font '{}:Bold,{}' textcolor rgb '{}'\n",
        gnuplot_string(line), 1 - (baseline - 5) / height, font_family, chart_title_style.size, hex(ink));
    baseline += chart_title_line;
  }
  return script;
}

Drawing run_chart(const std::string& script, double width, double height, const std::string& title) {
  const auto terminal = [&](std::string_view name, int scale) {
    return fmt::format(
        "set encoding utf8\nset terminal {} noenhanced size {},{} font '{},12' fontscale {} linewidth {} "
        "background rgb 'white'\n{}",
        name, static_cast<int>(width) * scale, static_cast<int>(height) * scale, font_family, scale, scale,
        script);
  };
  Drawing drawing;
  drawing.png = run_gnuplot(terminal("pngcairo", pixels_per_point));
  drawing.svg = finish_svg(run_gnuplot(terminal("svg", 1)), title);
  return drawing;
}

}  // namespace whence::report
