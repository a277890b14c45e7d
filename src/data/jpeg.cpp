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
  if (colours == TJCS_CMYK || colours == TJCS_YCCK) {
    fail("{} is a JPEG in printing colours (CMYK); convert it to RGB", name);
  }
  check_extent(height, width, name);
  const bool grey = colours == TJCS_GRAY;
  const at::Tensor pixels = at::empty({height, width, grey ? 1 : 3}, at::kByte);
  // the library would fill up what is missing and only warn: a picture that is not whole is none
  if (tjDecompress2(reader.get(), data, bytes.size(), pixels.data_ptr<std::uint8_t>(), width, 0, height,
                    grey ? TJPF_GRAY : TJPF_RGB, TJFLAG_ACCURATEDCT) != 0) {
    fail("{} is damaged (JPEG: {})", name, tjGetErrorStr2(reader.get()));
  }
  return pixels.permute({2, 0, 1}).contiguous();
}

}  // namespace whence::data
