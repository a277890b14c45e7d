#include <turbojpeg.h>

#include <memory>

#include "data/picture_files.h"
#include "whence/core/error.h"

namespace whence::data {
namespace {

struct EndDecompressor {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using Decompressor = std::unique_ptr<void, EndDecompressor>;

/// Bytes between a picture's parts, which every reader passes over.
bool is_harmless(void* reader) {
  return tjGetErrorCode(reader) == TJERR_WARNING &&
         std::string_view(tjGetErrorStr2(reader)).find("extraneous bytes") != std::string_view::npos;
}

/// (H, W, 4) -> (H, W, 3), as Pillow does: the file holds 255 - ink (Adobe's way), and R = (255 - K) - C (255 - K) / 255, rounded.
at::Tensor from_printing_colours(const at::Tensor& stored) {
  const at::Tensor light = stored.to(at::kInt);
  const at::Tensor ink = 255 - light.narrow(2, 0, 3), without_black = light.narrow(2, 3, 1);
  const at::Tensor product = ink * without_black + 128;
  const at::Tensor taken = (product.bitwise_right_shift(8) + product).bitwise_right_shift(8);
  return (without_black - taken).clamp(0, 255).to(at::kByte);
}

}  // namespace

bool is_jpeg(std::string_view bytes) { return bytes.starts_with("\xff\xd8\xff"); }

at::Tensor decode_jpeg(std::string_view bytes, const std::string& name) {
  const Decompressor reader(tjInitDecompress());
  TORCH_CHECK(reader != nullptr, "libjpeg-turbo does not start");
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  int width = 0, height = 0, sampling = 0, colours = 0;
  if (tjDecompressHeader3(reader.get(), data, bytes.size(), &width, &height, &sampling, &colours) != 0) {
    fail("{} is damaged (JPEG: {})", name, tjGetErrorStr2(reader.get()));
  }
  check_extent(height, width, name);
  const bool grey = colours == TJCS_GRAY, printing = colours == TJCS_CMYK || colours == TJCS_YCCK;
  const at::Tensor pixels = at::empty({height, width, grey ? 1 : printing ? 4 : 3}, at::kByte);
  const int format = grey ? TJPF_GRAY : printing ? TJPF_CMYK : TJPF_RGB;
  // the library would fill up what is missing and only warn: a picture that is not whole is none
  if (tjDecompress2(reader.get(), data, bytes.size(), pixels.data_ptr<std::uint8_t>(), width, 0, height,
                    format, TJFLAG_ACCURATEDCT) != 0 &&
      !is_harmless(reader.get())) {
    fail("{} is damaged (JPEG: {})", name, tjGetErrorStr2(reader.get()));
  }
  return (printing ? from_printing_colours(pixels) : pixels).permute({2, 0, 1}).contiguous();
}

}  // namespace whence::data
