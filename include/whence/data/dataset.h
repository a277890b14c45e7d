// Labelled images in memory, and the ways to cut them.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace whence::data {

/// Images stay bytes (1/4 of float32) until a batch is made of them.
struct Dataset {
  at::Tensor images;                     ///< uint8, (N, C, H, W)
  at::Tensor labels;                     ///< int64, (N), 0 .. class_names.size()-1
  std::vector<std::string> class_names;  ///< one per class

  std::int64_t size() const { return labels.size(0); }
  std::int64_t classes() const { return static_cast<std::int64_t>(class_names.size()); }
};

struct Splits {
  Dataset train, validation, test;
  std::string note =
      "";  ///< one sentence on what stands for what, where a reader would not expect it; else ""

  bool has_validation() const { return validation.labels.defined(); }
};

/// Only the named classes, relabelled 0, 1, .. in the order of `classes`; the file's order of images is kept.
/// Errors: a class that does not exist or is named twice; a class without a single image.
Dataset select_classes(const Dataset& dataset, const std::vector<std::int64_t>& classes);

/// Images first .. first+count-1.
Dataset slice(const Dataset& dataset, std::int64_t first, std::int64_t count);
/// The images of both, in that order. Their classes and the sizes of their images are the same.
Dataset join(const Dataset& first, const Dataset& second);
/// The images of `rows` (int64, (n)) in that order, each a copy.
Dataset pick(const Dataset& dataset, const at::Tensor& rows);
/// `count` different rows drawn at random, int64 (count); all rows in their order when `count` is 0 or at least
/// the size.
at::Tensor sample_rows(const Dataset& dataset, std::int64_t count, at::Generator& generator);

/// One IDX pair as a dataset; images (N, H, W) get one channel, (N, C, H, W) stay, and (N, H, W, C) become
/// such; C is 1 or 3. Errors: those of read_idx; other channels;
/// numbers of images and labels that disagree; a label past the class names.
Dataset load_idx_pair(const std::filesystem::path& images, const std::filesystem::path& labels,
                      const std::vector<std::string>& class_names);

/// Rows `indices` as float32 in [0, 1], channels-last in memory. indices: int64 (n). They move to `device` as bytes, and stay where
/// the data set lies without one.
at::Tensor to_float(const Dataset& dataset, const at::Tensor& indices,
                    std::optional<at::Device> device = std::nullopt);
/// Rows first .. first + count - 1, as above.
at::Tensor to_float(const Dataset& dataset, std::int64_t first, std::int64_t count,
                    std::optional<at::Device> device = std::nullopt);
/// All images as float32 in [0, 1].
at::Tensor to_float(const Dataset& dataset);

}  // namespace whence::data
