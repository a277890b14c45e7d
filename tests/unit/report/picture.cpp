#include "unit/report/picture.h"

#include <cairo.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

namespace whence::report {

Picture read_png(const std::filesystem::path& path) {
  cairo_surface_t* surface = cairo_image_surface_create_from_png(path.c_str());
  EXPECT_EQ(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS) << path;
  Picture picture{cairo_image_surface_get_width(surface), cairo_image_surface_get_height(surface), {}};
  const int stride = cairo_image_surface_get_stride(surface);
  const unsigned char* data = cairo_image_surface_get_data(surface);
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      const auto value =
          reinterpret_cast<const std::uint32_t*>(data + static_cast<std::ptrdiff_t>(y) * stride)[x];
      picture.pixels.push_back({static_cast<int>(value >> 16 & 255), static_cast<int>(value >> 8 & 255),
                                static_cast<int>(value & 255)});
    }
  }
  cairo_surface_destroy(surface);
  return picture;
}

Box find(const Picture& picture, const Pixel& colour) {
  Box box{picture.width, picture.height, -1, -1, 0};
  for (int y = 0; y < picture.height; ++y) {
    for (int x = 0; x < picture.width; ++x) {
      if (picture.at(x, y) != colour) continue;
      box = {std::min(box.left, x), std::min(box.top, y), std::max(box.right, x), std::max(box.bottom, y),
             box.count + 1};
    }
  }
  return box;
}

Pixel pixel(Colour colour) {
  const auto byte = [](double value) { return static_cast<int>(std::lround(value * 255)); };
  return {byte(colour.red), byte(colour.green), byte(colour.blue)};
}

std::optional<std::string> texts_of(const std::filesystem::path& path) {
  if (std::string_view(WHENCE_PYTHON).empty()) return std::nullopt;
  const std::string command =
      fmt::format("'{}' '{}' '{}' 2>&1", WHENCE_PYTHON, WHENCE_CHECK_MARKUP, path.string());
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  std::string texts;
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) texts.append(buffer, n);
  EXPECT_EQ(pclose(pipe), 0) << path << " is not well-formed: " << texts;
  return texts;
}

}  // namespace whence::report
