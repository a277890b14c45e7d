// What the tests of runs share: a folder of their own, and data so small that a run takes a moment.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "support/errors.h"
#include "support/files.h"
#include "whence/core/files.h"
#include "whence/core/random.h"
#include "whence/data/idx.h"

namespace whence::test_support {

/// `count` images of 8 x 8: a bright 4 x 4 square on the left (label 0) or on the right (label 1), at a
/// random height and of random brightness, over faint noise.
inline void write_squares(const std::filesystem::path& folder, const std::string& prefix, std::int64_t count,
                          std::uint64_t seed) {
  Generator generator = make_generator(seed, "test/squares");
  const at::Tensor images = at::randint(0, 30, {count, 8, 8}, generator, at::kByte);
  const at::Tensor labels = at::randint(0, 2, {count}, generator, at::kByte);
  const at::Tensor heights = at::randint(0, 5, {count}, generator, at::kLong);
  const at::Tensor brightness = at::randint(150, 255, {count}, generator, at::kLong);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t left = labels[i].item<std::int64_t>() == 0 ? 0 : 4;
    images[i]
        .narrow(0, heights[i].item<std::int64_t>(), 4)
        .narrow(1, left, 4)
        .fill_(brightness[i].item<std::int64_t>());
  }
  data::write_idx(folder / (prefix + "-images-idx3-ubyte"), images);
  data::write_idx(folder / (prefix + "-labels-idx1-ubyte"), labels);
}

/// The four files of a data set of squares.
inline void write_squares(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  write_squares(folder, "train", 400, 1);
  write_squares(folder, "t10k", 200, 2);
}

/// The shortest recipe that is one.
inline constexpr const char* kLeast = "[data]\nset = \"fashion-mnist\"\n";

/// A recipe that trains a classifier to tell on which side the square is, and explains nothing.
inline constexpr const char* kSquaresClassifier = R"(
[data]
set = "idx"
path = "squares"
class_names = ["left", "right"]
[classifier]
width = 4
epochs = 1
[run]
threads = 1
precision = "float32"
)";

/// A recipe that explains which side the square is on, and the data below it.
inline constexpr const char* kSquaresRecipe = R"(
title = "Left or right"
[data]
set = "idx"
path = "squares"
class_names = ["left", "right"]
[classifier]
width = 4
epochs = 4
batch = 16
[generator]
width = 8
[explanation]
causal = 1
noncausal = 2
lambda = 0.02
steps = 50
batch = 16
learning_rate = 5e-3
[evaluation]
flow_samples = [40, 20]
[figures]
sweep_rows = 2
sweep_steps = 3
strip_rows = 1
strip_steps = 5
[run]
threads = 1
precision = "float32"
)";

/// Writes recipe and data into `folder`; returns the recipe's path.
inline std::filesystem::path write_squares_recipe(const std::filesystem::path& folder,
                                                  const char* recipe = kSquaresRecipe) {
  write_squares(folder / "squares");
  write_file(folder / "recipe-of-squares.toml", recipe);
  return folder / "recipe-of-squares.toml";
}

}  // namespace whence::test_support
