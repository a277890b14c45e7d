// Decoders of picture files; what a file holds is checked before memory is asked for.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>

namespace whence::data {

inline constexpr std::int64_t most_pixels = 64'000'000;

bool is_png(std::string_view bytes);
bool is_jpeg(std::string_view bytes);

/// uint8 (C, H, W). `name` is what errors call the file.
at::Tensor decode_png(std::string_view bytes, const std::string& name);
at::Tensor decode_jpeg(std::string_view bytes, const std::string& name);

/// Error when a picture of this size is too large to be one image of a data set.
void check_extent(std::int64_t height, std::int64_t width, const std::string& name);

}  // namespace whence::data
