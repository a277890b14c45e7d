#include "nn/kernels/f32_products.h"

#include <limits>

#ifdef __x86_64__
#include "nn/kernels/f32_group.h"
#endif

namespace whence::nn::f32 {

#ifdef WHENCE_HAS_F32_CODE

namespace {

/// Part of a patch: some of its elements that lie side by side, with the pairs of output and input pixels from which they
/// meet the image.
struct PatchPart {
  std::int64_t depth;             ///< in the kernel matrix (Patches::depth), of its first element
  std::int64_t width;             ///< elements
  std::int64_t pixel;             ///< from where a patch begins
  std::int64_t place;             ///< in a row of sums, where it takes whole vectors
  std::vector<Pair> pairs, last;  ///< for a whole group of images, and for the last one where that has fewer
};

/// What multiply_transposed_patches needs. A block is a part of the images and of the columns.
struct TransposedProduct {
  /// Pairs that are taken before the next sums: their rows stay in the first level of the cache.
  static constexpr std::int64_t kPairs = 96;

  const Group& group;
  const float *input, *gradient;
  std::int64_t image_parts, column_parts;
  std::vector<PatchPart> parts;
  std::int64_t width;  ///< of a row of sums
  float* sums;         ///< image_parts matrices with a row for each column
  const Patches& patches = group.patches;

  /// Gradients lie as the product reads them where a position has one pixel.
  bool copies_gradients() const { return patches.phases > 1; }
  std::int64_t grid() const { return patches.vertical.grid * patches.horizontal.grid; }
  std::int64_t gradients_size() const {
    return copies_gradients() ? group.images * grid() * patches.columns() : 0;
  }
  std::int64_t scratch() const { return (group.size() + gradients_size()) * std::int64_t{sizeof(float)}; }

  void operator()(std::int64_t block, std::byte* bytes) const {
    const std::int64_t image_part = block / column_parts, column_part = block % column_parts;
    const RowGroup columns = row_group(patches.columns(), column_parts, column_part);
    const RowGroup groups = row_group(group.count(), image_parts, image_part);
    auto* strips = reinterpret_cast<float*>(bytes);
    float* copied = strips + group.size();
    for (std::int64_t i = groups.begin; i < groups.end; ++i) {
      const std::int64_t image = group.first(i), images = group.images_of(i);
      group.fill(input, image, images, strips);
      if (copies_gradients()) copy_gradients(image, images, copied);
      const float* from = copies_gradients() ? copied : gradient + image * grid() * patches.columns();
      add(from, strips, columns, images == group.images, sums + image_part * patches.columns() * width);
    }
  }

  /// The gradients of each position, its phases side by side, zeros outside of the image.
  void copy_gradients(std::int64_t image, std::int64_t images, float* to) const {
    const std::int64_t channels = patches.output_channels;
    for (std::int64_t i = 0; i < images * grid(); ++i) {
      const std::int64_t y = i % grid() / patches.horizontal.grid, x = i % patches.horizontal.grid;
      for (std::int64_t phase = 0; phase < patches.phases * patches.phases; ++phase, to += channels) {
        const std::int64_t pixel =
            pixel_of(patches, image + i / grid(), y, x, phase / patches.phases, phase % patches.phases);
        if (pixel < 0)
          std::fill_n(to, channels, 0.0f);
        else
          std::copy_n(gradient + pixel, channels, to);
      }
    }
  }

  void add(const float* gradients, const float* strips, RowGroup columns, bool whole, float* to) const {
    const std::int64_t positions = group.images * grid();
    for (std::int64_t first = 0; first < positions; first += kPairs)
      for (const PatchPart& part : parts)
        add_part(part, whole ? part.pairs : part.last, first, gradients, strips, columns, to);
  }

  void add_part(const PatchPart& part, const std::vector<Pair>& pairs, std::int64_t first,
                const float* gradients, const float* strips, RowGroup columns, float* to) const {
    const std::int64_t count = std::min(kPairs, std::ssize(pairs) - first);
    if (count <= 0) return;
    for (std::int64_t k = 0; k < part.width; k += widest_blocks().columns) {
      const Blocks::Width& block = widest_blocks().of(part.width - k <= widest_blocks().lanes);
      const std::int64_t rows = columns.end - columns.begin;
      const std::int64_t groups = row_groups(rows, block.rows());
      for (std::int64_t i = 0; i < groups; ++i) {
        const auto [begin, end] = row_group(rows, groups, i);
        const std::int64_t column = columns.begin + begin;
        block.outer_product(end - begin)(gradients + column, strips + part.pixel + k,
                                         {pairs.data() + first, count}, to + column * width + part.place + k,
                                         width);
      }
    }
  }
};

/// The pairs of the first `images` of a group for an element of its patches at the taps from (y, x) on, `across` of them.
std::vector<Pair> pairs_of(const Group& group, std::int64_t images, std::int64_t tap_y, std::int64_t tap_x,
                           std::int64_t across) {
  const Patches& patches = group.patches;
  const Meeting down = positions_of(patches, patches.vertical, tap_y);
  const Meeting left = positions_of(patches, patches.horizontal, tap_x + across - 1);
  const Meeting right = positions_of(patches, patches.horizontal, tap_x);
  const std::int64_t height = patches.vertical.grid, width = patches.horizontal.grid;
  std::vector<Pair> pairs;
  for (std::int64_t image = 0; image < images; ++image) {
    for (std::int64_t y = down.begin; y < down.end; ++y) {
      for (std::int64_t x = left.begin; x < right.end; ++x) {
        const std::int64_t position = (image * height + y) * width + x;
        pairs.push_back({static_cast<std::int32_t>(position * patches.columns()),
                         static_cast<std::int32_t>(group.place(image, y, x))});
      }
    }
  }
  return pairs;
}

/// A tap each, or a row of taps where the pixels have too few channels to fill vectors.
std::vector<PatchPart> parts_of(const Group& group) {
  const Patches& patches = group.patches;
  const std::int64_t across = patches.channels < widest_blocks().columns ? patches.taps : 1;
  const std::int64_t rest = group.images_of(group.count() - 1);
  std::vector<PatchPart> parts;
  std::int64_t place = 0;
  for (std::int64_t y = 0; y < patches.taps; ++y) {
    for (std::int64_t x = 0; x < patches.taps; x += across) {
      const std::int64_t element = x * patches.channels, width = across * patches.channels;
      parts.push_back({y * patches.row_depth() + element, width, group.strip().tap_row(y) + element, place,
                       pairs_of(group, group.images, y, x, across),
                       rest == group.images ? std::vector<Pair>() : pairs_of(group, rest, y, x, across)});
      place += rounded_up(width, widest_blocks().lanes);
    }
  }
  return parts;
}

/// Puts each sum where it belongs in a weight, whose elements are written as nearly in order as its layout allows:
/// channels that are read are its first dimension in a transposed convolution.
void scatter(const TransposedProduct& product, const float* sums, const at::Tensor& weight) {
  const Patches& patches = product.patches;
  const KernelOffsets offsets = kernel_offsets(patches, weight.strides());
  auto* to = weight.data_ptr<float>();
  const auto put = [&](std::int64_t column, const PatchPart& part, std::int64_t k) {
    to[offsets.column[static_cast<std::size_t>(column)] +
       offsets.depth[static_cast<std::size_t>(part.depth + k)]] =
        sums[column * product.width + part.place + k];
  };
  if (patches.transposed) {
    for (const PatchPart& part : product.parts)
      for (std::int64_t k = 0; k < part.width; ++k)
        for (std::int64_t column = 0; column < patches.columns(); ++column) put(column, part, k);
    return;
  }
  constexpr std::int64_t grain = 64;
  at::parallel_for(0, patches.columns(), grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t column = begin; column < end; ++column)
      for (const PatchPart& part : product.parts)
        for (std::int64_t k = 0; k < part.width; ++k) put(column, part, k);
  });
}

}  // namespace

void multiply_transposed_patches(const Patches& patches, const at::Tensor& input,
                                 const at::Tensor& output_gradient, const at::Tensor& weight_gradient) {
  if (patches.batch == 0) {
    weight_gradient.zero_();
    return;
  }
  constexpr std::int64_t positions = 128, large = 1 << 17, most = 16, second_level = 1 << 16;
  const Group group{patches, images_for(patches, positions, second_level)};
  TORCH_CHECK(std::max(group.size(), group.images * patches.vertical.grid * patches.horizontal.grid *
                                         patches.columns()) <= std::numeric_limits<std::int32_t>::max(),
              "an image of ", input.sizes(), " is too large for a convolution's gradient");
  std::vector<PatchPart> parts = parts_of(group);
  const std::int64_t width = parts.back().place + rounded_up(parts.back().width, widest_blocks().lanes);
  // One part where the caller is itself one of several threads; otherwise as many as do not depend on the number of
  // threads. Sums of a large weight are not added up from several copies.
  const bool alone = at::in_parallel_region(), by_columns = width * patches.columns() > large;
  const std::int64_t image_parts = alone || by_columns ? 1 : std::min(most, group.count());
  const std::int64_t column_parts =
      alone || !by_columns ? 1 : std::min(most, row_groups(patches.columns(), widest_blocks().columns));
  const at::Tensor sums = at::zeros({image_parts, patches.columns() * width}, at::kFloat);
  const TransposedProduct product{group,
                                  input.data_ptr<float>(),
                                  output_gradient.data_ptr<float>(),
                                  image_parts,
                                  column_parts,
                                  std::move(parts),
                                  width,
                                  sums.data_ptr<float>()};
  struct Nothing {};
  for_each_block<Nothing>(image_parts * column_parts, product.scratch(), product);
  const at::Tensor sum = image_parts == 1 ? sums : sums.sum(0);
  scatter(product, sum.data_ptr<float>(), weight_gradient);
}

#else

void multiply_transposed_patches(const Patches&, const at::Tensor&, const at::Tensor&, const at::Tensor&) {
  TORCH_CHECK(false, "float32 products are not in this build");
}

#endif

}  // namespace whence::nn::f32
