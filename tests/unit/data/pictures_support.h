// Picture files to test with, written by the libraries that define them.
#pragma once

#include <png.h>
#include <turbojpeg.h>

#include "support/files.h"
#include "unit/data/support.h"

namespace whence::data::test {

/// (C, H, W) bytes, C = 1 to 4, as PNG.
inline void write_png(const std::filesystem::path& path, const at::Tensor& image) {
  const at::Tensor rows = image.permute({1, 2, 0}).contiguous();
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(rows.size(1));
  header.height = static_cast<png_uint_32>(rows.size(0));
  constexpr std::array<png_uint_32, 4> formats = {PNG_FORMAT_GRAY, PNG_FORMAT_GA, PNG_FORMAT_RGB,
                                                  PNG_FORMAT_RGBA};
  header.format = formats[static_cast<std::size_t>(rows.size(2) - 1)];
  std::filesystem::create_directories(path.parent_path());
  TORCH_CHECK(png_image_write_to_file(&header, path.c_str(), 0, rows.data_ptr(), 0, nullptr) != 0,
              header.message);
}

/// (1 or 3, H, W) bytes as JPEG of the best quality.
inline void write_jpeg(const std::filesystem::path& path, const at::Tensor& image) {
  const at::Tensor rows = image.permute({1, 2, 0}).contiguous();
  const bool grey = rows.size(2) == 1;
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  void* writer = tjInitCompress();
  const int failed = tjCompress2(writer, rows.data_ptr<std::uint8_t>(), static_cast<int>(rows.size(1)), 0,
                                 static_cast<int>(rows.size(0)), grey ? TJPF_GRAY : TJPF_RGB, &bytes, &size,
                                 grey ? TJSAMP_GRAY : TJSAMP_444, 100, 0);
  TORCH_CHECK(failed == 0, tjGetErrorStr2(writer));
  std::filesystem::create_directories(path.parent_path());
  whence::test::put(path, std::string(reinterpret_cast<char*>(bytes), size));
  tjFree(bytes);
  tjDestroy(writer);
}

/// A slope from dark to bright, which JPEG keeps well.
inline at::Tensor slope(std::int64_t channels, std::int64_t height, std::int64_t width) {
  const at::Tensor values = at::arange(channels * height * width).mul(255).div(channels * height * width);
  return values.reshape({channels, height, width}).to(at::kByte);
}

/// `count` different pictures in each class, of one channel: folder/<class>/<number>.png.
inline void write_classes(const std::filesystem::path& folder, const std::vector<std::string>& classes,
                          std::int64_t count, std::uint64_t seed = 0) {
  for (std::size_t label = 0; label < classes.size(); ++label) {
    const at::Tensor images = random_bytes({count, 1, 4, 5}, seed * 100 + label);
    for (std::int64_t i = 0; i < count; ++i) {
      write_png(folder / classes[label] / (std::to_string(i) + ".png"), images[i]);
    }
  }
}

/// A folder with splits of its own: so many pictures of noise, 8 x 8 and grey, in each of the classes a and b.
inline void write_splits(const std::filesystem::path& folder, int train, int validation, int test) {
  std::uint64_t seed = 0;
  for (const auto& [part, count] : {std::pair{"train", train}, {"validation", validation}, {"test", test}}) {
    for (const char* name : {"a", "b"}) {
      for (int i = 0; i < count; ++i)
        write_png(folder / part / name / (std::to_string(i) + ".png"), random_bytes({1, 8, 8}, ++seed));
    }
  }
}

}  // namespace whence::data::test
