#include "nn/kernels/f32_products.h"

#ifdef __x86_64__
#include <immintrin.h>

#include "nn/kernels/f32_group.h"
#endif

namespace whence::nn::f32 {

#ifdef WHENCE_HAS_F32_CODE

namespace {

std::int64_t floats_of_panel(const Patches& patches) {
  return patches.taps * patches.taps * patches.channels * widest_blocks().columns;
}
std::int64_t panels_of(const Patches& patches) {
  return (patches.columns() + widest_blocks().columns - 1) / widest_blocks().columns;
}

/// Whether a vector holds all columns.
bool is_narrow(const Patches& patches) { return patches.columns() <= widest_blocks().lanes; }

/// A row of the left matrix.
struct Row {
  std::int64_t place;  ///< of its patch in the group
  std::int64_t image, y, x;
};

/// How the rows of some images are taken: in blocks, each with the taps that meet a pixel from any of its rows.
struct Walk {
  struct Block {
    RowGroup rows;
    std::int64_t first_piece, pieces;
  };
  std::vector<Row> rows;
  std::vector<Block> blocks;
  std::vector<Piece> pieces;

  Walk(const Group& group, std::int64_t images, std::int64_t most) {
    add_rows(group, images, images >= most && wastes_taps(group.patches));
    const std::int64_t groups = row_groups(std::ssize(rows), most);
    for (std::int64_t i = 0; i < groups; ++i) add_block(group, row_group(std::ssize(rows), groups, i));
  }

 private:
  /// Those of the same position side by side where there are enough images: most blocks then leave out all taps that fall
  /// outside.
  void add_rows(const Group& group, std::int64_t images, bool by_position) {
    const std::int64_t width = group.patches.horizontal.grid, grid = group.patches.vertical.grid * width;
    const std::int64_t outer = by_position ? grid : images, inner = by_position ? images : grid;
    rows.reserve(static_cast<std::size_t>(images * grid));
    for (std::int64_t i = 0; i < outer; ++i) {
      for (std::int64_t j = 0; j < inner; ++j) {
        const std::int64_t image = by_position ? j : i, position = by_position ? i : j;
        const std::int64_t y = position / width, x = position % width;
        rows.push_back({group.place(image, y, x), image, y, x});
      }
    }
  }

  void add_block(const Group& group, RowGroup block) {
    const Patches& patches = group.patches;
    std::int64_t top = patches.taps, bottom = 0, left = patches.taps, right = 0;
    for (std::int64_t r = block.begin; r < block.end; ++r) {
      const Row& row = rows[static_cast<std::size_t>(r)];
      const Meeting down = taps_at(patches, patches.vertical, row.y);
      const Meeting across = taps_at(patches, patches.horizontal, row.x);
      top = std::min(top, down.begin), bottom = std::max(bottom, down.end);
      left = std::min(left, across.begin), right = std::max(right, across.end);
    }
    const std::int64_t first = std::ssize(pieces);
    const std::int64_t width = patches.taps * patches.channels, skipped = left * patches.channels;
    for (std::int64_t tap = top; tap < bottom && left < right; ++tap)
      pieces.push_back({group.strip().tap_row(tap) + skipped,
                        (tap * width + skipped) * widest_blocks().columns,
                        (right - left) * patches.channels});
    blocks.push_back({block, first, std::ssize(pieces) - first});
  }
};

/// Images enough for blocks of `block` rows at the same position, which leave out all taps that fall outside, where their
/// strips are not too large; otherwise as many as make it worth to read a panel of the kernel. At most `images`.
Group group_for(const Patches& patches, std::int64_t block, std::int64_t images) {
  constexpr std::int64_t rows = 384, second_level = 1 << 16, several_second_levels = 1 << 18;
  const std::int64_t grid = patches.vertical.grid * patches.horizontal.grid;
  if (wastes_taps(patches)) {
    const std::int64_t several = images_for(patches, std::max(rows, block * grid), several_second_levels);
    if (several >= block) return {patches, std::min(images, several)};
  }
  return {patches, std::min(images, images_for(patches, rows, second_level))};
}

/// Columns of the kernel matrix that go to the same output pixel.
struct Segment {
  std::int64_t row, column;  ///< of the phase
  std::int64_t channel, count;
};

/// Of each panel.
std::vector<std::vector<Segment>> segments_of(const Patches& patches) {
  std::vector<std::vector<Segment>> panels(static_cast<std::size_t>(panels_of(patches)));
  for (std::int64_t column = 0; column < patches.columns();) {
    const std::int64_t phase = column / patches.output_channels, channel = column % patches.output_channels;
    const std::int64_t room = widest_blocks().columns - column % widest_blocks().columns;
    const std::int64_t count = std::min(room, patches.output_channels - channel);
    panels[static_cast<std::size_t>(column / widest_blocks().columns)].push_back(
        {phase / patches.phases, phase % patches.phases, channel, count});
    column += count;
  }
  return panels;
}

/// The bias of each column of the panels, 0 where there is none.
std::vector<float> bias_of_panels(const Patches& patches, const at::Tensor& bias) {
  std::vector<float> columns(static_cast<std::size_t>(panels_of(patches) * widest_blocks().columns));
  if (bias.numel() == 0) return columns;
  const float* channels = bias.data_ptr<float>();
  for (std::int64_t i = 0; i < patches.columns(); ++i)
    columns[static_cast<std::size_t>(i)] = channels[i % patches.output_channels];
  return columns;
}

/// What multiply_patches needs, for a group of images and a part of the panels at a time.
struct Product {
  const Group& group;
  const float *input, *kernel;
  std::vector<float> bias;  ///< of each panel
  float floor;
  float* output;
  const Walk &whole, &last;  ///< through a whole group, and through the last one where that has fewer
  std::vector<std::vector<Segment>> segments;  ///< of each panel
  std::int64_t panel_parts;
  const Patches& patches = group.patches;
  std::int64_t columns = widest_blocks().columns;  ///< of a panel
  std::int64_t written = is_narrow(patches) ? widest_blocks().lanes : columns;
  const Blocks::Width& blocks = widest_blocks().of(is_narrow(patches));

  void operator()(std::int64_t block, std::byte* scratch) const {
    const std::int64_t number = block / panel_parts;
    const RowGroup panels = row_group(panels_of(patches), panel_parts, block % panel_parts);
    auto* strips = reinterpret_cast<float*>(scratch);
    const std::int64_t image = group.first(number), images = group.images_of(number);
    group.fill(input, image, images, strips);
    const Walk& walk = images == group.images ? whole : last;
    for (std::int64_t panel = panels.begin; panel < panels.end; ++panel)
      for (const Walk::Block& rows : walk.blocks) multiply(walk, rows, image, panel, strips);
  }

  /// Sums go to the output at once where all columns belong to one of its pixels.
  void multiply(const Walk& walk, const Walk::Block& block, std::int64_t image, std::int64_t panel,
                const float* strips) const {
    const std::vector<Segment>& of_panel = segments[static_cast<std::size_t>(panel)];
    const bool whole_panel = of_panel.front().count == written;
    const Row* rows = walk.rows.data() + block.rows.begin;
    const std::int64_t count = block.rows.end - block.rows.begin;
    alignas(64) float elsewhere[kMostRows * kMostColumns];
    const float* begins[kMostRows];
    float* to[kMostRows];
    for (std::int64_t r = 0; r < count; ++r) {
      begins[r] = strips + rows[r].place;
      const std::int64_t channel = whole_panel ? place_of(image, rows[r], of_panel.front()) : -1;
      to[r] = channel >= 0 ? output + channel : elsewhere + r * columns;
    }
    blocks.product(count)(begins, kernel + panel * floats_of_panel(patches),
                          {walk.pieces.data() + block.first_piece, block.pieces},
                          {bias.data() + panel * columns, floor}, to);
    for (std::int64_t r = 0; r < count && !whole_panel; ++r) write(image, rows[r], of_panel, to[r]);
  }

  /// Of a segment's first channel in the output, -1 outside of it.
  std::int64_t place_of(std::int64_t image, const Row& row, const Segment& segment) const {
    const std::int64_t pixel =
        pixel_of(patches, image + row.image, row.y, row.x, segment.row, segment.column);
    return pixel < 0 ? -1 : pixel + segment.channel;
  }

  void write(std::int64_t image, const Row& row, const std::vector<Segment>& of_panel,
             const float* sums) const {
    for (const Segment& segment : of_panel) {
      const std::int64_t channel = place_of(image, row, segment);
      if (channel >= 0) std::copy_n(sums, segment.count, output + channel);
      sums += segment.count;
    }
  }
};

/// The columns of a panel of the kernel matrix, row by row. Gathering is as fast on half of an AVX-512 vector.
__attribute__((target("avx2,fma"))) void pack_panel(const Patches& patches, const KernelOffsets& offsets,
                                                    const float* weight, std::int64_t panel, float* to) {
  constexpr std::int64_t lanes = 8;
  alignas(32) std::int32_t columns[kMostColumns] = {}, wanted[kMostColumns] = {};
  const std::int64_t width = widest_blocks().columns, first = panel * width;
  for (std::int64_t i = 0; i < std::min(width, patches.columns() - first); ++i) {
    columns[i] = offsets.column[static_cast<std::size_t>(first + i)];
    wanted[i] = -1;
  }
  for (const std::int32_t depth : offsets.depth) {
    if (depth == KernelOffsets::kNone) continue;
    for (std::int64_t i = 0; i < width; i += lanes, to += lanes) {
      const __m256i column = _mm256_load_si256(reinterpret_cast<const __m256i*>(columns + i));
      const __m256i mask = _mm256_load_si256(reinterpret_cast<const __m256i*>(wanted + i));
      _mm256_storeu_ps(to, _mm256_mask_i32gather_ps(_mm256_setzero_ps(), weight + depth, column,
                                                    _mm256_castsi256_ps(mask), sizeof *weight));
    }
  }
}

}  // namespace

at::Tensor pack_kernel(const Patches& patches, const at::Tensor& weight) {
  const at::Tensor packed = at::empty({panels_of(patches) * floats_of_panel(patches)}, at::kFloat);
  const KernelOffsets offsets = kernel_offsets(patches, weight.strides());
  constexpr std::int64_t grain = 1 << 15;
  at::parallel_for(0, panels_of(patches), std::max<std::int64_t>(1, grain / floats_of_panel(patches)),
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t panel = begin; panel < end; ++panel)
                       pack_panel(patches, offsets, weight.data_ptr<float>(), panel,
                                  packed.data_ptr<float>() + panel * floats_of_panel(patches));
                   });
  return packed;
}

void multiply_patches(const Patches& patches, const at::Tensor& input, const at::Tensor& kernel,
                      const at::Tensor& bias, float floor, const at::Tensor& output) {
  if (patches.batch == 0) return;
  const std::int64_t most = widest_blocks().of(is_narrow(patches)).rows();
  const std::int64_t threads = at::in_parallel_region() ? 1 : at::get_num_threads();
  const Group group = group_for(patches, most, (patches.batch + threads - 1) / threads);
  const std::int64_t parts =
      std::clamp<std::int64_t>((threads + group.count() - 1) / group.count(), 1, panels_of(patches));
  const std::int64_t rest = group.images_of(group.count() - 1);
  const Walk whole(group, group.images, most), last(group, rest == group.images ? 0 : rest, most);
  const Product product{group,
                        input.data_ptr<float>(),
                        kernel.data_ptr<float>(),
                        bias_of_panels(patches, bias),
                        floor,
                        output.data_ptr<float>(),
                        whole,
                        last,
                        segments_of(patches),
                        parts};
  struct Nothing {};
  for_each_block<Nothing>(group.count() * parts, group.size() * std::int64_t{sizeof(float)}, product);
}

#else

at::Tensor pack_kernel(const Patches&, const at::Tensor&) {
  TORCH_CHECK(false, "float32 products are not in this build");
}
void multiply_patches(const Patches&, const at::Tensor&, const at::Tensor&, const at::Tensor&, float,
                      const at::Tensor&) {
  TORCH_CHECK(false, "float32 products are not in this build");
}

#endif

}  // namespace whence::nn::f32
