#include "whence/data/cifar.h"

#include <sstream>

#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::data {
namespace {

constexpr std::int64_t cifar_side = 32, cifar_channels = 3;
constexpr std::int64_t cifar_pixels = cifar_channels * cifar_side * cifar_side;
constexpr std::int64_t cifar_record = 1 + cifar_pixels;

/// (n, 3073) bytes, one row a record.
at::Tensor read_records(const std::filesystem::path& path) {
  std::string content = read_file(path);
  const std::string name = path.string();
  const auto size = static_cast<std::int64_t>(content.size());
  if (size == 0) fail("{} is empty; get the file again", name);
  if (size % cifar_record != 0) {
    fail("{} is cut off or no CIFAR-10 batch: its {} bytes are not a whole number of records of {} bytes",
         name, size, cifar_record);
  }
  return at::from_blob(content.data(), {size / cifar_record, cifar_record}, at::kByte).clone();
}

void check_labels(const at::Tensor& records, std::size_t classes, const std::filesystem::path& path) {
  const at::Tensor wrong = records.select(1, 0).ge(static_cast<std::int64_t>(classes)).nonzero();
  if (wrong.size(0) == 0) return;
  const auto first = wrong[0][0].item<std::int64_t>();
  fail("{} is damaged or no CIFAR-10 batch: its image {} has the label {}, but there are only {} classes",
       path.string(), first, records[first][0].item<std::int64_t>(), classes);
}

}  // namespace

Dataset read_cifar(const std::vector<std::filesystem::path>& batches,
                   const std::vector<std::string>& class_names) {
  TORCH_CHECK(!batches.empty(), "no batch to read");
  std::vector<at::Tensor> images, labels;
  for (const auto& path : batches) {
    const at::Tensor records = read_records(path);
    check_labels(records, class_names.size(), path);
    labels.push_back(records.select(1, 0).to(at::kLong));
    images.push_back(records.narrow(1, 1, cifar_pixels));
  }
  return {at::cat(images).reshape({-1, cifar_channels, cifar_side, cifar_side}), at::cat(labels),
          class_names};
}

std::vector<std::string> read_cifar_names(const std::filesystem::path& path) {
  std::istringstream lines(read_file(path));
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  if (names.empty()) fail("{} names no class; it should have one name a line", path.string());
  return names;
}

}  // namespace whence::data
