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

/// A position of the patches' grid; runs over columns first, then rows, then images.
struct Position {
  const Patches& patches;
  std::int64_t image, y, x;

  Position(const Patches& all, std::int64_t index)
      : patches(all),
        image(index / (all.vertical.grid * all.horizontal.grid)),
        y(index / all.horizontal.grid % all.vertical.grid),
        x(index % all.horizontal.grid) {}
  void advance() {
    if (++x < patches.horizontal.grid) return;
    x = 0;
    if (++y < patches.vertical.grid) return;
    y = 0;
    ++image;
  }
};

/// The patch at `at` as depth() halves.
WHENCE_AMX inline void gather_patch(const Position& at, const Half* input, Half* to) {
  const Patches& p = at.patches;
  const std::int64_t top = p.step * at.y - p.vertical.margin, left = p.step * at.x - p.horizontal.margin;
  const std::int64_t row = p.taps * p.channels, line = p.horizontal.input * p.channels;
  const Half* from = input + (at.image * p.vertical.input + top) * line + left * p.channels;
  if (top >= 0 && left >= 0 && top + p.taps <= p.vertical.input && left + p.taps <= p.horizontal.input) {
    for (std::int64_t tap = 0; tap < p.taps; ++tap) copy(from + tap * line, to + tap * row, row);
    return;
  }
  clear(to, p.taps * row);
  const std::int64_t begin = std::max<std::int64_t>(0, -left);
  const std::int64_t end = std::min(p.taps, p.horizontal.input - left);
  const std::int64_t last = std::min(p.taps, p.vertical.input - top);
  for (std::int64_t tap = std::max<std::int64_t>(0, -top); begin < end && tap < last; ++tap)
    copy(from + tap * line + begin * p.channels, to + tap * row + begin * p.channels,
         (end - begin) * p.channels);
}

/// Calls visit(first output channel of the phase among columns(), offset of the pixel) for each output pixel of `at`;
/// the offset is -1 outside of the image.
template <class Visit>
WHENCE_AMX inline void visit_outputs(const Position& at, const Visit& visit) {
  const Patches& p = at.patches;
  std::int64_t column = 0;
  for (std::int64_t i = 0; i < p.phases; ++i) {
    const std::int64_t y = p.phases * at.y - p.vertical.crop + i;
    for (std::int64_t j = 0; j < p.phases; ++j, column += p.output_channels) {
      const std::int64_t x = p.phases * at.x - p.horizontal.crop + j;
      const bool inside = y >= 0 && y < p.vertical.output && x >= 0 && x < p.horizontal.output;
      const std::int64_t pixel = (at.image * p.vertical.output + y) * p.horizontal.output + x;
      visit(column, inside ? pixel * p.output_channels : -1);
    }
  }
}

/// What multiply_patches needs for a block of positions.
struct Product {
  const Patches& patches;
  const Half *input, *kernel;
  const float* bias;
  float floor;
  Half* output;

  std::int64_t steps() const { return rounded_up(patches.depth(), kDepth) / kDepth; }
  std::int64_t column_tiles() const { return rounded_up(patches.columns(), kColumns) / kColumns; }
  /// Rows of the patch matrix are an odd number of cache lines apart, so that they spread over the cache.
  std::int64_t row() const { return (steps() | 1) * kDepth; }
  std::int64_t scratch() const {
    return kBlock *
           (row() * std::int64_t{sizeof(Half)} + column_tiles() * kColumns * std::int64_t{sizeof(float)});
  }

  WHENCE_AMX void operator()(std::int64_t block, std::byte* scratch_bytes) const {
    auto* panel = reinterpret_cast<Half*>(scratch_bytes);
    auto* sums = reinterpret_cast<float*>(panel + kBlock * row());
    const std::int64_t first = block * kBlock, count = std::min(kBlock, patches.positions() - first);
    Position read(patches, first), written(patches, first);
    for (std::int64_t i = 0; i < count; ++i, read.advance()) gather_patch(read, input, panel + i * row());
    const std::int64_t width = column_tiles() * kColumns;
    for (std::int64_t j = 0; j < column_tiles(); j += 2) {
      const Half* tiles = kernel + j * steps() * kTileHalves;
      const Half* second = j + 1 < column_tiles() ? tiles + steps() * kTileHalves : nullptr;
      multiply_block(panel, row(), tiles, second, steps(), sums + j * kColumns, width, false);
    }
    for (std::int64_t i = 0; i < count; ++i, written.advance()) {
      visit_outputs(written, [&](std::int64_t column, std::int64_t pixel) WHENCE_AMX {
        if (pixel < 0) return;
        finish(sums + i * width + column, bias, floor, output + pixel, patches.output_channels);
      });
    }
  }
};

/// What multiply_transposed_patches needs. The positions are split into `kParts` sums, whatever the number of
/// threads, and each part goes through them in blocks that stay in the cache.
struct TransposedProduct {
  static constexpr std::int64_t kParts = 4, kPositions = 256;

  const Patches& patches;
  const Half *input, *gradient;
  float* sums;  ///< kParts matrices of left_rows() x right_columns()

  std::int64_t left_rows() const { return rounded_up(patches.columns(), kBlock); }
  std::int64_t right_columns() const { return rounded_up(patches.depth(), 2 * kColumns); }
  static constexpr std::int64_t left_stride() { return kPositions + kDepth; }
  std::int64_t scratch() const {
    const std::int64_t rows = 2 * (right_columns() + left_rows());
    return std::int64_t{sizeof(Half)} * (left_rows() * left_stride() + right_columns() * kPositions + rows);
  }

  WHENCE_AMX void operator()(std::int64_t part, std::byte* scratch_bytes) const {
    auto* left = reinterpret_cast<Half*>(scratch_bytes);
    Half* right = left + left_rows() * left_stride();
    Half* rows = right + right_columns() * kPositions;
    const std::int64_t blocks = rounded_up(patches.positions(), kPositions) / kPositions;
    for (std::int64_t block = blocks * part / kParts; block < blocks * (part + 1) / kParts; ++block) {
      const std::int64_t first = block * kPositions;
      const std::int64_t count = std::min(kPositions, patches.positions() - first);
      const std::int64_t steps = rounded_up(count, kDepth) / kDepth;
      arrange(first, count, steps, left, right, rows);
      accumulate(steps, left, right, sums + part * left_rows() * right_columns());
    }
  }

  /// Gradients with the positions side by side, patches with pairs of positions side by side.
  WHENCE_AMX void arrange(std::int64_t first, std::int64_t count, std::int64_t steps, Half* left, Half* right,
                          Half* rows) const {
    Half *patch[2] = {rows, rows + right_columns()}, *pixels[2];
    pixels[0] = patch[1] + right_columns();
    pixels[1] = pixels[0] + left_rows();
    Position position(patches, first);
    std::vector<Half> pairs_of_pixels(static_cast<std::size_t>(kDepth * left_rows()));
    for (std::int64_t step = 0; step < steps; ++step) {
      Half* pairs = pairs_of_pixels.data();
      for (std::int64_t i = 0; i < kDepth; ++i) {
        if (step * kDepth + i < count) {
          gather_patch(position, input, patch[i % 2]);
          gather_pixels(position, pixels[i % 2]);
          position.advance();
        } else {
          clear(patch[i % 2], right_columns());
          clear(pixels[i % 2], left_rows());
        }
        if (i % 2 == 0) continue;
        for (std::int64_t j = 0; j < right_columns(); j += kColumns) {
          Half* tile = right + (j / kColumns * steps + step) * kTileHalves + i / 2 * kDepth;
          _mm512_storeu_si512(tile, interleaved(patch[0] + j, patch[1] + j));
        }
        for (std::int64_t j = 0; j < left_rows(); j += kRows)
          _mm512_storeu_si512(pairs + (j / kRows * kRows + i / 2) * kDepth,
                              interleaved(pixels[0] + j, pixels[1] + j));
      }
      for (std::int64_t j = 0; j < left_rows(); j += kRows) {
        __m512i square[16];
        for (int i = 0; i < 16; ++i) square[i] = _mm512_loadu_si512(pairs + (j + i) * kDepth);
        transpose(square);
        for (int i = 0; i < 16; ++i)
          _mm512_storeu_si512(left + (j + i) * left_stride() + step * kDepth, square[i]);
      }
    }
  }

  WHENCE_AMX void gather_pixels(const Position& position, Half* to) const {
    visit_outputs(position, [&](std::int64_t column, std::int64_t pixel) WHENCE_AMX {
      if (pixel < 0) {
        clear(to + column, patches.output_channels);
      } else {
        copy(gradient + pixel, to + column, patches.output_channels);
      }
    });
  }

  WHENCE_AMX void accumulate(std::int64_t steps, const Half* left, const Half* right, float* sum) const {
    for (std::int64_t j = 0; j < right_columns(); j += 2 * kColumns) {
      const Half* tiles = right + j / kColumns * steps * kTileHalves;
      for (std::int64_t i = 0; i < left_rows(); i += kBlock)
        multiply_block(left + i * left_stride(), left_stride(), tiles, tiles + steps * kTileHalves, steps,
                       sum + i * right_columns() + j, right_columns(), true);
    }
  }
};

WHENCE_AMX void pack_tiles(const KernelOffsets& offsets, const float* weight, Half* to) {
  const auto depth = static_cast<std::int64_t>(offsets.depth.size());
  const auto columns = static_cast<std::int64_t>(offsets.column.size());
  const auto row = [&](std::int64_t k) {
    return k < depth ? weight + offsets.depth[static_cast<std::size_t>(k)] : nullptr;
  };
  for (std::int64_t j = 0; j < columns; j += kColumns) {
    const auto mask = static_cast<__mmask16>(columns - j >= 16 ? 0xffff : (1u << (columns - j)) - 1);
    const __m512i column = _mm512_maskz_loadu_epi32(mask, offsets.column.data() + j);
    for (std::int64_t k = 0; k < rounded_up(depth, kDepth); k += 2, to += kDepth)
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
  const std::int64_t size = rounded_up(patches.depth(), kDepth) * rounded_up(patches.columns(), kColumns);
  at::Tensor packed = at::empty({size}, at::kBFloat16);
  pack_tiles(kernel_offsets(patches, weight.strides()), weight.data_ptr<float>(), halves(packed));
  return packed;
}

void multiply_patches(const Patches& patches, const at::Tensor& input, const at::Tensor& kernel,
                      const at::Tensor& bias, float floor, const at::Tensor& output) {
  const Product product{patches,        halves(input),
                        halves(kernel), bias.defined() ? bias.data_ptr<float>() : nullptr,
                        floor,          halves(output)};
  for_each_block((patches.positions() + kBlock - 1) / kBlock, product.scratch(), product);
}

void multiply_transposed_patches(const Patches& patches, const at::Tensor& input,
                                 const at::Tensor& output_gradient, const at::Tensor& weight_gradient) {
  TransposedProduct product{patches, halves(input), halves(output_gradient), nullptr};
  const at::Tensor parts =
      at::zeros({TransposedProduct::kParts, product.left_rows(), product.right_columns()}, at::kFloat);
  product.sums = parts.data_ptr<float>();
  for_each_block(TransposedProduct::kParts, product.scratch(), product);

  const at::Tensor sum = parts.sum(0);
  const KernelOffsets offsets = kernel_offsets(patches, weight_gradient.strides());
  const float* from = sum.data_ptr<float>();
  auto* to = weight_gradient.data_ptr<float>();
  for (const std::int32_t column : offsets.column) {
    for (std::size_t k = 0; k < offsets.depth.size(); ++k) to[offsets.depth[k] + column] = from[k];
    from += product.right_columns();
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
