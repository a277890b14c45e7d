#include "whence/data/idx.h"

#include <fmt/ranges.h>

#include <array>

#include "data/gzip.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/data/dataset.h"

namespace whence::data {
namespace {

constexpr unsigned unsigned_byte = 0x08;
constexpr unsigned most_dimensions = 4;

std::string_view name_of_type(unsigned type) {
  switch (type) {
    case 0x09:
      return "signed bytes";
    case 0x0B:
      return "16-bit integers";
    case 0x0C:
      return "32-bit integers";
    case 0x0D:
      return "32-bit floats";
    case 0x0E:
      return "64-bit floats";
    default:
      return "";
  }
}

std::array<unsigned char, 4> read_word(ByteSource& source, const std::string& name) {
  std::array<unsigned char, 4> word{};
  if (source.read(word.data(), word.size()) < word.size()) {
    fail("{} ends within its IDX header; it is empty or cut off", name);
  }
  return word;
}

unsigned read_dimensions(ByteSource& source, const std::string& name) {
  const auto magic = read_word(source, name);
  if (magic[0] != 0 || magic[1] != 0 || (magic[2] != unsigned_byte && name_of_type(magic[2]).empty())) {
    fail("{} is not an IDX file: it begins with the bytes {:02x} {:02x} {:02x} {:02x}", name, magic[0],
         magic[1], magic[2], magic[3]);
  }
  if (magic[2] != unsigned_byte) fail("{} holds {}, not unsigned bytes", name, name_of_type(magic[2]));
  if (magic[3] < 1 || magic[3] > most_dimensions) {
    fail("{} has {} dimensions; 1 to {} are possible", name, magic[3], most_dimensions);
  }
  return magic[3];
}

/// The sizes, whose product is at most what `source` can hold: checked before memory is asked for.
std::vector<std::int64_t> read_shape(ByteSource& source, const std::string& name) {
  std::vector<std::int64_t> shape(read_dimensions(source, name));
  std::size_t count = 1;
  bool fits = true;
  for (auto& size : shape) {
    const auto word = read_word(source, name);
    size = std::int64_t{word[0]} << 24 | word[1] << 16 | word[2] << 8 | word[3];
    if (size == 0) fail("{} has a dimension of size 0, so it holds nothing", name);
    // both factors are below 2^32 and most(), respectively, as long as it fits: no overflow
    fits = fits && static_cast<std::size_t>(size) <= source.most() / count;
    if (fits) count *= static_cast<std::size_t>(size);
  }
  if (!fits)
    fail("{} announces {} values, more than the file holds; it is truncated or damaged", name,
         fmt::join(shape, " x "));
  return shape;
}

void append_word(std::string& bytes, std::uint32_t word) {
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(word >> shift & 0xff);
}

bool are_channels(std::int64_t count) { return count == 1 || count == 3; }

/// (N, H, W, C) as (N, C, H, W); which it is, is told by the 1 or 3 channels. Error: neither.
at::Tensor channels_first(const at::Tensor& images, const std::string& name) {
  if (are_channels(images.size(1))) return images;
  if (are_channels(images.size(3))) return images.permute({0, 3, 1, 2}).contiguous();
  fail("{} holds images of {} channels: they must have 1 or 3, as (N, C, H, W) or (N, H, W, C)", name,
       images.size(1));
}

}  // namespace

at::Tensor read_idx(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  const std::string name = path.string();
  ByteSource source(bytes, name);
  const auto shape = read_shape(source, name);
  const at::Tensor values = at::empty(shape, at::kByte);
  const auto wanted = static_cast<std::size_t>(values.numel());
  const std::size_t got = source.read(values.data_ptr(), wanted);
  if (got < wanted) fail("{} is cut off: it holds {} of {} values", name, got, fmt::join(shape, " x "));
  char surplus = 0;
  if (source.read(&surplus, 1) != 0) {
    fail("{} continues after its {} values; it is damaged", name, fmt::join(shape, " x "));
  }
  return values;
}

void write_idx(const std::filesystem::path& path, const at::Tensor& values) {
  TORCH_CHECK(values.scalar_type() == at::kByte && values.dim() >= 1 && values.dim() <= most_dimensions,
              "IDX holds uint8 tensors with 1 to 4 dimensions");
  TORCH_CHECK(values.numel() > 0, "IDX holds at least one value");
  const at::Tensor packed = values.cpu().contiguous();
  std::string bytes{'\0', '\0', static_cast<char>(unsigned_byte), static_cast<char>(packed.dim())};
  for (const std::int64_t size : packed.sizes()) append_word(bytes, static_cast<std::uint32_t>(size));
  bytes.append(static_cast<const char*>(packed.data_ptr()), static_cast<std::size_t>(packed.numel()));
  write_file(path, path.extension() == ".gz" ? gzip(bytes) : bytes);
}

Dataset load_idx_pair(const std::filesystem::path& images, const std::filesystem::path& labels,
                      const std::vector<std::string>& class_names) {
  Dataset dataset{read_idx(images), read_idx(labels).to(at::kLong), class_names};
  if (dataset.images.dim() == 3) dataset.images = dataset.images.unsqueeze(1);
  if (dataset.images.dim() != 4) {
    fail("{} holds no images: they have 3 dimensions (N, H, W) or 4 (N, C, H, W), not {}", images.string(),
         dataset.images.dim());
  }
  dataset.images = channels_first(dataset.images, images.string());
  if (dataset.labels.dim() != 1) {
    fail("{} holds no labels: they have 1 dimension, not {}", labels.string(), dataset.labels.dim());
  }
  if (dataset.images.size(0) != dataset.size()) {
    fail("{} has {} images but {} has {} labels; they do not fit together", images.string(),
         dataset.images.size(0), labels.string(), dataset.size());
  }
  const auto largest = dataset.labels.max().item<std::int64_t>();
  if (largest >= dataset.classes()) {
    fail("{} has the label {}, but there are only {} classes", labels.string(), largest, dataset.classes());
  }
  return dataset;
}

}  // namespace whence::data
