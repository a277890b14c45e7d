#include <png.h>

#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "data/picture_files.h"
#include "whence/core/error.h"

namespace whence::data {
namespace {

constexpr png_uint_32 longest_side = 100'000;

/// One PNG being read. libpng reports errors by a long jump: the functions that set its target return false then, and
/// have no objects that would need a destructor.
class PngReader {
 public:
  explicit PngReader(std::string_view bytes) : rest_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, keep_message, pass_over_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    TORCH_CHECK(info_ != nullptr, "libpng does not start");
    png_set_user_limits(png_, longest_side, longest_side);
    png_set_read_fn(png_, this, hand_out);
  }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  /// Reads what comes before the pixels, and asks for 8 bits of grey or RGB, with alpha if there is any.
  bool start() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_read_info(png_, info_);
    png_set_expand(png_);
    png_set_scale_16(png_);
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }
  bool read(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_read_image(png_, rows);
    png_read_end(png_, nullptr);
    return true;
  }

  std::int64_t height() const { return png_get_image_height(png_, info_); }
  std::int64_t width() const { return png_get_image_width(png_, info_); }
  std::int64_t channels() const { return png_get_channels(png_, info_); }
  const char* message() const { return message_.data(); }

 private:
  static void keep_message(png_structp png, png_const_charp text) {
    auto& message = static_cast<PngReader*>(png_get_error_ptr(png))->message_;
    std::snprintf(message.data(), message.size(), "%s", text);
    png_longjmp(png, 1);
  }
  static void pass_over_warning(png_structp, png_const_charp) {}
  static void hand_out(png_structp png, png_bytep to, std::size_t size) {
    auto& rest = static_cast<PngReader*>(png_get_io_ptr(png))->rest_;
    if (rest.size() < size) png_error(png, "it is cut off");
    std::memcpy(to, rest.data(), size);
    rest.remove_prefix(size);
  }

  std::string_view rest_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::array<char, 128> message_{};
};

/// (H, W, C + 1) bytes with alpha -> (H, W, C) over white.
at::Tensor over_white(const at::Tensor& pixels) {
  const std::int64_t channels = pixels.size(2) - 1;
  const at::Tensor alpha = pixels.narrow(2, channels, 1).to(at::kFloat).div(255);
  const at::Tensor colour = pixels.narrow(2, 0, channels).to(at::kFloat);
  return colour.mul(alpha).add(alpha.neg().add(1).mul(255)).round().to(at::kByte);
}

}  // namespace

bool is_png(std::string_view bytes) { return bytes.starts_with("\x89PNG\r\n\x1a\n"); }

at::Tensor decode_png(std::string_view bytes, const std::string& name) {
  PngReader reader(bytes);
  if (!reader.start()) fail("{} is damaged (PNG: {})", name, reader.message());
  check_extent(reader.height(), reader.width(), name);
  at::Tensor pixels = at::empty({reader.height(), reader.width(), reader.channels()}, at::kByte);
  std::vector<png_bytep> rows;
  for (std::int64_t row = 0; row < reader.height(); ++row) {
    rows.push_back(pixels.data_ptr<std::uint8_t>() + row * pixels.stride(0));
  }
  if (!reader.read(rows.data())) fail("{} is damaged (PNG: {})", name, reader.message());
  if (pixels.size(2) % 2 == 0) pixels = over_white(pixels);
  return pixels.permute({2, 0, 1}).contiguous();
}

}  // namespace whence::data
