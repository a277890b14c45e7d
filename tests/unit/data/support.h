// Small data sets to test with.
#pragma once

#include <ATen/ATen.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "whence/core/random.h"
#include "whence/data/dataset.h"
#include "whence/data/idx.h"

namespace whence::data::test {

inline at::Tensor random_bytes(at::IntArrayRef shape, std::uint64_t seed = 0) {
  Generator generator = make_generator(seed, "test/bytes");
  return at::randint(256, shape, generator, at::TensorOptions(at::kByte));
}

/// Labels 0, 1, .., classes-1, 0, 1, ...
inline at::Tensor round_robin(std::int64_t count, std::int64_t classes) {
  return at::arange(count, at::kLong).remainder(classes);
}

/// Every image is filled with its own index (modulo 256), so that it can be recognised.
inline Dataset numbered(std::int64_t count, std::int64_t classes, std::int64_t channels = 1,
                        std::int64_t side = 2) {
  const at::Tensor index = at::arange(count, at::kLong).remainder(256).to(at::kByte);
  Dataset dataset{index.reshape({count, 1, 1, 1}).expand({count, channels, side, side}).contiguous(),
                  round_robin(count, classes),
                  {}};
  for (std::int64_t i = 0; i < classes; ++i) dataset.class_names.emplace_back(1, static_cast<char>('a' + i));
  return dataset;
}

inline std::vector<std::int64_t> to_vector(const at::Tensor& values) {
  const at::Tensor flat = values.to(at::kLong).contiguous().flatten();
  const auto* first = flat.data_ptr<std::int64_t>();
  return {first, first + flat.numel()};
}

/// Images per class.
inline std::vector<std::int64_t> counts(const Dataset& dataset) {
  return to_vector(at::bincount(dataset.labels, {}, dataset.classes()));
}

/// The four files of a set; labels go round all ten classes.
inline void write_four_files(const std::filesystem::path& folder, std::int64_t train, std::int64_t test,
                             const std::string& ending = "") {
  write_idx(folder / ("train-images-idx3-ubyte" + ending), random_bytes({train, 3, 3}, 1));
  write_idx(folder / ("train-labels-idx1-ubyte" + ending), round_robin(train, 10).to(at::kByte));
  write_idx(folder / ("t10k-images-idx3-ubyte" + ending), random_bytes({test, 3, 3}, 2));
  write_idx(folder / ("t10k-labels-idx1-ubyte" + ending), round_robin(test, 10).to(at::kByte));
}

/// Where real data sets lie: WHENCE_TEST_DATA, or beside the checkout.
inline std::filesystem::path real_data(const std::string& name) {
  const char* root = std::getenv("WHENCE_TEST_DATA");
  return std::filesystem::path(root != nullptr && *root != '\0' ? root : WHENCE_SHARED_DATA) / name;
}

}  // namespace whence::data::test
