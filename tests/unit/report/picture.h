// Looks at what was drawn: pixels of a PNG, texts of an SVG or HTML file.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "report/palette.h"
#include "support/files.h"

namespace whence::report {

using Pixel = std::array<int, 3>;

struct Picture {
  int width = 0, height = 0;
  std::vector<Pixel> pixels;

  const Pixel& at(int x, int y) const {
    return pixels.at(static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                     static_cast<std::size_t>(x));
  }
};

struct Box {
  int left = 0, top = 0, right = -1, bottom = -1;  ///< inclusive
  std::int64_t count = 0;                          ///< pixels of the colour
  int width() const { return right - left + 1; }
  int height() const { return bottom - top + 1; }
};

Picture read_png(const std::filesystem::path& path);
Box find(const Picture& picture, const Pixel& colour);
Pixel pixel(Colour colour);

/// The texts of a well-formed SVG or HTML file, one a line; nothing when there is no Python to read it with.
/// Fails the test when the file is not well-formed.
std::optional<std::string> texts_of(const std::filesystem::path& path);

}  // namespace whence::report
