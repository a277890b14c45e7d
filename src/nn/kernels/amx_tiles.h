// Blocks of products on AMX, the matrix unit of Intel's processors since 2023.
#pragma once

#include "nn/kernels/bf16_matrix.h"
#include "nn/kernels/product_units.h"

#ifdef WHENCE_HAS_BF16_CODE
#define WHENCE_AMX __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))

namespace whence::nn::bf16 {

struct alignas(64) TileShapes {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t bytes_per_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

/// Tile registers in use, while it lives. Does nothing without AMX.
class Tiles {
 public:
  WHENCE_AMX Tiles() {
    if (has_amx()) _tile_loadconfig(&kShapes);
  }
  WHENCE_AMX ~Tiles() {
    if (has_amx()) _tile_release();
  }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;

 private:
  /// In static memory: GCC does not know that the instruction reads more than its first bytes.
  static constexpr TileShapes kShapes{};
};

/// Brings a tile of the right matrix nearer, which is too large for the nearest cache.
WHENCE_AMX inline void fetch_ahead(const Half* tile, std::int64_t row) {
  for (int i = 0; i < kRows; ++i) _mm_prefetch(reinterpret_cast<const char*>(tile + i * row), _MM_HINT_T0);
}

/// multiply_block on AMX; needs Tiles.
WHENCE_AMX inline void multiply_on_tiles(const LeftMatrix& a, std::int64_t offset, const RightMatrix& b,
                                         float* c, std::int64_t c_stride, bool add) {
  const std::int64_t a_bytes = a.stride * 2, b_bytes = b.row * 2, c_bytes = c_stride * 4;
  float* c_lower = c + kRows * c_stride;
  if (add) {
    _tile_loadd(0, c, c_bytes);
    _tile_loadd(2, c_lower, c_bytes);
  } else {
    _tile_zero(0);
    _tile_zero(2);
  }
  if (b.second == nullptr) {
    for (std::int64_t piece = 0; piece < a.count; ++piece) {
      const Half *upper = a.pieces[piece] + offset, *lower = upper + kRows * a.stride;
      const Half* first = b.first + piece * b.piece;
      for (std::int64_t i = 0; i < a.steps; ++i, first += b.step) {
        _tile_loadd(6, first, b_bytes);
        _tile_loadd(4, upper + i * kDepth, a_bytes);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(5, lower + i * kDepth, a_bytes);
        _tile_dpbf16ps(2, 5, 6);
      }
    }
  } else {
    if (add) {
      _tile_loadd(1, c + kColumns, c_bytes);
      _tile_loadd(3, c_lower + kColumns, c_bytes);
    } else {
      _tile_zero(1);
      _tile_zero(3);
    }
    for (std::int64_t piece = 0; piece < a.count; ++piece) {
      const Half *upper = a.pieces[piece] + offset, *lower = upper + kRows * a.stride;
      const Half *first = b.first + piece * b.piece, *second = b.second + piece * b.piece;
      for (std::int64_t i = 0; i < a.steps; ++i, first += b.step, second += b.step) {
        fetch_ahead(first + b.step, b.row);
        fetch_ahead(second + b.step, b.row);
        _tile_loadd(6, first, b_bytes);
        _tile_loadd(4, upper + i * kDepth, a_bytes);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(5, lower + i * kDepth, a_bytes);
        _tile_dpbf16ps(2, 5, 6);
        _tile_loadd(7, second, b_bytes);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(3, 5, 7);
      }
    }
    _tile_stored(1, c + kColumns, c_bytes);
    _tile_stored(3, c_lower + kColumns, c_bytes);
  }
  _tile_stored(0, c, c_bytes);
  _tile_stored(2, c_lower, c_bytes);
}

}  // namespace whence::nn::bf16
#endif
