#include "nn/amx.h"

#include <ATen/Parallel.h>

#include <atomic>

#include "nn/amx_tiles.h"

#ifdef WHENCE_HAS_AMX_CODE
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace whence::nn {

#ifdef WHENCE_HAS_AMX_CODE

namespace {

using namespace amx;

/// Calls work(i) for i in 0 .. count - 1; a thread takes the next i when it is ready, because another process may
/// hold one of them up. Each thread gets `scratch` bytes of its own, zeroed once.
template <class Work>
void for_each_block(std::int64_t count, std::int64_t scratch, const Work& work) {
  std::atomic<std::int64_t> next{0};
  const auto run = [&](std::int64_t, std::int64_t) {
    if (next >= count) return;
    constexpr std::size_t line = 64;
    std::vector<std::byte> bytes(static_cast<std::size_t>(scratch) + line);
    const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
    std::byte* aligned = bytes.data() + (line - address % line);
    const Tiles tiles;
    for (std::int64_t i = next++; i < count; i = next++) work(i, aligned);
  };
  at::parallel_for(0, std::min<std::int64_t>(count, at::get_num_threads()), 1, run);
}

Half* halves(const at::Tensor& tensor) { return reinterpret_cast<Half*>(tensor.data_ptr<at::BFloat16>()); }

/// One image with its margins, laid out so that the patches of successive positions are a constant number of pixels
/// apart, also from the end of one row of the grid to the start of the next: no patch needs to be copied. Rows that
/// are the same modulo the step lie together. The few positions between the rows belong to no pixel.
struct Strip {
  const Patches& patches;

  std::int64_t slots() const {  ///< positions from one row of the grid to the next
    return (patches.step * (patches.horizontal.grid - 1) + patches.taps + patches.step - 1) / patches.step;
  }
  std::int64_t positions() const { return (patches.vertical.grid - 1) * slots() + patches.horizontal.grid; }
  std::int64_t stride() const { return patches.step * patches.channels; }  ///< halves
  /// Halves from a pixel to the one below it in the same group of rows.
  std::int64_t line() const { return slots() * stride(); }
  std::int64_t lines() const {  ///< of a group
    return (patches.step * (patches.vertical.grid - 1) + patches.taps + patches.step - 1) / patches.step;
  }
  /// Blocks of positions and steps of the depth are whole; what they read past the end is finite and not used.
  std::int64_t size() const {
    return rounded_up(patches.step * lines() * line() + kBlock * stride() + patches.row_depth(), kDepth);
  }
  const Half* row_of_tap(const Half* strip, std::int64_t tap) const {
    return strip + (tap % patches.step * lines() + tap / patches.step) * line();
  }

  /// The margins of `strip` are zero already.
  WHENCE_AMX void fill(const Half* input, std::int64_t image, Half* strip) const {
    const PatchSide &vertical = patches.vertical, &horizontal = patches.horizontal;
    const std::int64_t channels = patches.channels, rows = lines() * patches.step;
    const std::int64_t begin = std::max<std::int64_t>(0, horizontal.margin);
    const std::int64_t end = std::min(slots() * patches.step, horizontal.input + horizontal.margin);
    for (std::int64_t row = std::max<std::int64_t>(0, vertical.margin);
         begin < end && row < std::min(rows, vertical.input + vertical.margin); ++row) {
      const std::int64_t y = image * vertical.input + row - vertical.margin;
      const Half* from = input + (y * horizontal.input + begin - horizontal.margin) * channels;
      Half* to = strip + (row % patches.step * lines() + row / patches.step) * line();
      copy(from, to + begin * channels, (end - begin) * channels);
    }
  }
};

/// Where the channels of the output pixel (row, column) of the position (y, x) of `image` begin; -1 outside of it.
WHENCE_AMX inline std::int64_t pixel_of(const Patches& p, std::int64_t image, std::int64_t grid_y,
                                        std::int64_t grid_x, std::int64_t row, std::int64_t column) {
  const std::int64_t y = p.phases * grid_y - p.vertical.crop + row;
  const std::int64_t x = p.phases * grid_x - p.horizontal.crop + column;
  const bool inside = y >= 0 && y < p.vertical.output && x >= 0 && x < p.horizontal.output;
  return inside ? ((image * p.vertical.output + y) * p.horizontal.output + x) * p.output_channels : -1;
}

/// What multiply_patches needs, for an image at a time.
struct Product {
  const Patches& patches;
  const Half *input, *kernel;
  const float* bias;
  float floor;
  Half* output;

  Strip strip() const { return {patches}; }
  std::int64_t width() const { return rounded_up(patches.columns(), kColumns); }
  std::int64_t scratch() const {
    return strip().size() * std::int64_t{sizeof(Half)} + kBlock * width() * std::int64_t{sizeof(float)};
  }

  WHENCE_AMX void operator()(std::int64_t image, std::byte* scratch_bytes) const {
    auto* halves_of_strip = reinterpret_cast<Half*>(scratch_bytes);
    auto* sums = reinterpret_cast<float*>(halves_of_strip + strip().size());
    strip().fill(input, image, halves_of_strip);
    std::vector<const Half*> rows;
    for (std::int64_t tap = 0; tap < patches.taps; ++tap)
      rows.push_back(strip().row_of_tap(halves_of_strip, tap));
    const LeftMatrix left{rows.data(), patches.taps, patches.row_depth() / kDepth, strip().stride()};
    const std::int64_t tiles_of_column = patches.depth() / kDepth * kTileHalves;
    for (std::int64_t first = 0; first < strip().positions(); first += kBlock) {
      for (std::int64_t j = 0; j < width(); j += 2 * kColumns) {
        const Half* tiles = kernel + j / kColumns * tiles_of_column;
        const Half* second = j + kColumns < width() ? tiles + tiles_of_column : nullptr;
        multiply_block(left, first * left.stride, {tiles, second, kTileHalves}, sums + j, width(), false);
      }
      write(image, first, sums);
    }
  }

  WHENCE_AMX void write(std::int64_t image, std::int64_t first, const float* sums) const {
    const std::int64_t slots = strip().slots();
    std::int64_t y = first / slots, x = first % slots;
    for (std::int64_t i = 0; i < kBlock; ++i, sums += width()) {
      if (y >= patches.vertical.grid) return;
      if (x < patches.horizontal.grid) write_position(image, y, x, sums);
      if (++x == slots) {
        x = 0;
        ++y;
      }
    }
  }

  WHENCE_AMX void write_position(std::int64_t image, std::int64_t y, std::int64_t x,
                                 const float* sums) const {
    for (std::int64_t i = 0; i < patches.phases; ++i) {
      for (std::int64_t j = 0; j < patches.phases; ++j, sums += patches.output_channels) {
        const std::int64_t pixel = pixel_of(patches, image, y, x, i, j);
        if (pixel >= 0) finish(sums, bias, floor, output + pixel, patches.output_channels);
      }
    }
  }
};

/// What multiply_transposed_patches needs. The images are split into `kParts` sums, whatever the number of threads;
/// each part gathers positions until they fill blocks that stay in the cache.
struct TransposedProduct {
  static constexpr std::int64_t kParts = 4, kPositions = 256;
  // Rows and tiles that are written one after the other are not a power of two apart, which would make them compete
  // for the same few lines of the cache.
  static constexpr std::int64_t kLeftStride = kPositions + kDepth, kTileStride = kTileHalves + kDepth;

  const Patches& patches;
  const Half *input, *gradient;
  float* sums;  ///< kParts matrices of sum_size() floats, in squares of kBlock x kBlock

  Strip strip() const { return {patches}; }
  std::int64_t left_rows() const { return rounded_up(patches.columns(), kBlock); }
  std::int64_t right_columns() const { return rounded_up(patches.depth(), kBlock); }
  std::int64_t tiles() const { return right_columns() / kColumns; }
  std::int64_t sum_size() const { return left_rows() * right_columns(); }
  /// The sum for a column of the kernel matrix and an element of its depth.
  std::int64_t place(std::int64_t column, std::int64_t depth) const {
    const std::int64_t square = column / kBlock * (right_columns() / kBlock) + depth / kBlock;
    return (square * kBlock + column % kBlock) * kBlock + depth % kBlock;
  }

  /// A block of positions: gradients with the positions side by side, patches with pairs of positions side by side.
  struct Block {
    Half *strip, *left, *right, *pairs, *zeros;
    std::int64_t positions = 0;
  };
  std::int64_t scratch() const {
    return std::int64_t{sizeof(Half)} *
           (strip().size() + left_rows() * kLeftStride + kPositions / kDepth * tiles() * kTileStride +
            kDepth * left_rows() + patches.row_depth() + left_rows());
  }
  Block block_in(std::byte* bytes) const {
    Block block{};
    block.strip = reinterpret_cast<Half*>(bytes);
    block.left = block.strip + strip().size();
    block.right = block.left + left_rows() * kLeftStride;
    block.pairs = block.right + kPositions / kDepth * tiles() * kTileStride;
    block.zeros = block.pairs + kDepth * left_rows();
    return block;
  }

  WHENCE_AMX void operator()(std::int64_t part, std::byte* scratch_bytes) const {
    Block block = block_in(scratch_bytes);
    float* sum = sums + part * sum_size();
    for (std::int64_t image = patches.batch * part / kParts; image < patches.batch * (part + 1) / kParts;
         ++image) {
      strip().fill(input, image, block.strip);
      for (std::int64_t y = 0; y < patches.vertical.grid; ++y) {
        for (std::int64_t x = 0; x < patches.horizontal.grid; x += 2) add_pair(block, image, y, x, sum);
      }
    }
    while (block.positions % kDepth != 0) add_pair(block, -1, 0, 0, sum);
    accumulate(block, sum);
  }

  /// The positions (y, x) and (y, x + 1); zeros for image -1 and past the end of the row.
  WHENCE_AMX void add_pair(Block& block, std::int64_t image, std::int64_t y, std::int64_t x,
                           float* sum) const {
    const std::int64_t step = block.positions / kDepth, pair = block.positions % kDepth / 2;
    const bool first = image >= 0, second = first && x + 1 < patches.horizontal.grid;
    const std::int64_t offset = (y * strip().slots() + x) * strip().stride();
    Half* tile = block.right + step * tiles() * kTileStride + pair * kDepth;
    const std::int64_t depth = patches.row_depth(), stride = strip().stride();
    for (std::int64_t tap = 0; tap < patches.taps; ++tap) {
      const Half* row = strip().row_of_tap(block.strip, tap) + offset;
      const Half *a = first ? row : block.zeros, *b = second ? row + stride : block.zeros;
      for (std::int64_t j = 0; j < depth; j += kColumns, tile += kTileStride)
        _mm512_storeu_si512(tile, interleaved(a + j, b + j));
    }
    std::int64_t column = 0;
    for (std::int64_t i = 0; i < patches.phases; ++i) {
      for (std::int64_t j = 0; j < patches.phases; ++j, column += patches.output_channels) {
        const std::int64_t a = first ? pixel_of(patches, image, y, x, i, j) : -1;
        const std::int64_t b = second ? pixel_of(patches, image, y, x + 1, i, j) : -1;
        add_gradients(a < 0 ? block.zeros : gradient + a, b < 0 ? block.zeros : gradient + b, column,
                      block.pairs + pair * kDepth);
      }
    }
    block.positions += 2;
    if (block.positions % kDepth == 0) transpose_pairs(block, step);
    if (block.positions == kPositions) accumulate(block, sum);
  }
  /// pairs: squares of 16 pairs x 16 columns.
  WHENCE_AMX void add_gradients(const Half* a, const Half* b, std::int64_t column, Half* pairs) const {
    const std::int64_t channels = patches.output_channels;
    for (std::int64_t o = 0; o < channels;) {
      const std::int64_t to = column + o;
      const std::int64_t count = std::min(channels - o, kColumns - to % kColumns);
      const auto mask = static_cast<__mmask16>((1u << count) - 1);
      _mm512_mask_storeu_epi32(pairs + to / kColumns * kColumns * kDepth + to % kColumns * 2, mask,
                               interleaved(a + o, b + o, mask));
      o += count;
    }
  }

  WHENCE_AMX void transpose_pairs(const Block& block, std::int64_t step) const {
    for (std::int64_t j = 0; j < left_rows(); j += kRows) {
      __m512i square[16];
      for (int i = 0; i < 16; ++i) square[i] = _mm512_loadu_si512(block.pairs + (j + i) * kDepth);
      transpose(square);
      for (int i = 0; i < 16; ++i)
        _mm512_storeu_si512(block.left + (j + i) * kLeftStride + step * kDepth, square[i]);
    }
  }

  WHENCE_AMX void accumulate(Block& block, float* sum) const {
    const Half* start = block.left;
    const LeftMatrix left{&start, 1, block.positions / kDepth, kLeftStride};
    for (std::int64_t j = 0; j < right_columns(); j += kBlock) {
      const Half* tile = block.right + j / kColumns * kTileStride;
      for (std::int64_t i = 0; i < left_rows(); i += kBlock)
        multiply_block(left, i * kLeftStride, {tile, tile + kTileStride, tiles() * kTileStride},
                       sum + place(i, j), kBlock, true);
    }
    block.positions = 0;
  }
};

WHENCE_AMX void pack_tiles(const KernelOffsets& offsets, const float* weight, Half* to) {
  const auto depth = static_cast<std::int64_t>(offsets.depth.size());
  const auto columns = static_cast<std::int64_t>(offsets.column.size());
  const auto row = [&](std::int64_t k) {
    const std::int32_t offset = offsets.depth[static_cast<std::size_t>(k)];
    return offset == KernelOffsets::kNone ? nullptr : weight + offset;
  };
  for (std::int64_t j = 0; j < columns; j += kColumns) {
    const auto mask = static_cast<__mmask16>(columns - j >= 16 ? 0xffff : (1u << (columns - j)) - 1);
    const __m512i column = _mm512_maskz_loadu_epi32(mask, offsets.column.data() + j);
    for (std::int64_t k = 0; k < depth; k += 2, to += kDepth)
      _mm512_storeu_si512(to, gathered_pair(row(k), row(k + 1), column, mask));
  }
}

/// The compilers' list of processor features does not know AMX yet.
bool has_tiles() {
  constexpr unsigned leaf = 7, bfloat16 = 1u << 22, tiles = 1u << 24;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(leaf, 0, &a, &b, &c, &d) != 0 && (d & bfloat16) != 0 && (d & tiles) != 0;
}

/// Linux gives the tile registers to processes that ask for them.
bool ask_for_tiles() {
#ifdef SYS_arch_prctl
  constexpr int request_permission = 0x1023, tile_data = 18;
  return ::syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return false;
#endif
}

}  // namespace

bool has_amx() {
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                          __builtin_cpu_supports("avx512bf16") && has_tiles() && ask_for_tiles();
  return has;
}

at::Tensor pack_kernel(const Patches& patches, const at::Tensor& weight) {
  const std::int64_t size = patches.depth() * rounded_up(patches.columns(), kColumns);
  at::Tensor packed = at::empty({size}, at::kBFloat16);
  pack_tiles(kernel_offsets(patches, weight.strides()), weight.data_ptr<float>(), halves(packed));
  return packed;
}

void multiply_patches(const Patches& patches, const at::Tensor& input, const at::Tensor& kernel,
                      const at::Tensor& bias, float floor, const at::Tensor& output) {
  const Product product{patches,        halves(input),
                        halves(kernel), bias.numel() > 0 ? bias.data_ptr<float>() : nullptr,
                        floor,          halves(output)};
  for_each_block(patches.batch, product.scratch(), product);
}

void multiply_transposed_patches(const Patches& patches, const at::Tensor& input,
                                 const at::Tensor& output_gradient, const at::Tensor& weight_gradient) {
  TransposedProduct product{patches, halves(input), halves(output_gradient), nullptr};
  const at::Tensor parts = at::zeros({TransposedProduct::kParts, product.sum_size()}, at::kFloat);
  product.sums = parts.data_ptr<float>();
  for_each_block(TransposedProduct::kParts, product.scratch(), product);

  const at::Tensor sum = parts.sum(0);
  const KernelOffsets offsets = kernel_offsets(patches, weight_gradient.strides());
  const float* from = sum.data_ptr<float>();
  auto* to = weight_gradient.data_ptr<float>();
  for (std::size_t n = 0; n < offsets.column.size(); ++n) {
    for (std::size_t k = 0; k < offsets.depth.size(); ++k) {
      if (offsets.depth[k] == KernelOffsets::kNone) continue;
      to[offsets.depth[k] + offsets.column[n]] =
          from[product.place(static_cast<std::int64_t>(n), static_cast<std::int64_t>(k))];
    }
  }
}

#else

bool has_amx() { return false; }
at::Tensor pack_kernel(const Patches&, const at::Tensor&) { TORCH_CHECK(false, "AMX is not in this build"); }
void multiply_patches(const Patches&, const at::Tensor&, const at::Tensor&, const at::Tensor&, float,
                      const at::Tensor&) {
  TORCH_CHECK(false, "AMX is not in this build");
}
void multiply_transposed_patches(const Patches&, const at::Tensor&, const at::Tensor&, const at::Tensor&) {
  TORCH_CHECK(false, "AMX is not in this build");
}

#endif

}  // namespace whence::nn
