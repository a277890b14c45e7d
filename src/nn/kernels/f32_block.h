// Blocks of products in float32: some rows of sums that stay in registers, on the widest vectors that the processor has.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#define WHENCE_HAS_F32_CODE 1

#include <cstdint>
#include <span>

namespace whence::nn::f32 {

constexpr std::int64_t rounded_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// Part of the depth of a product. Distances in floats.
struct Piece {
  std::int64_t left;   ///< from where a left row begins
  std::int64_t right;  ///< from where the right matrix, rows of Blocks::columns, begins
  std::int64_t depth;
};
struct Pieces {
  const Piece* first;
  std::int64_t count;
};

/// Two rows that are multiplied element by element, from where their matrices begin, in floats.
struct Pair {
  std::int32_t left, right;
};
struct Pairs {
  const Pair* first;
  std::int64_t count;
};

/// What becomes of a row of sums: max(sums + addend, floor); what is no number stays none.
struct Finish {
  const float* addend;
  float floor;
};

/// Row r, from to[r] on, = the left row, which begins at rows[r], times the right matrix, finished.
using RowProduct = void (*)(const float* const* rows, const float* right, Pieces pieces, Finish finish,
                            float* const* to);

/// to (rows `stride` apart) += the sum over all pairs of their rows' outer product.
using OuterProduct = void (*)(const float* left, const float* right, Pairs pairs, float* to,
                              std::int64_t stride);

/// The blocks of one instruction set: as many rows as keep its multipliers busy and its registers hold, of two vectors or,
/// narrow ones, of one.
struct Blocks {
  std::int64_t lanes, columns;  ///< floats of a vector and of two
  struct Width {
    std::span<const RowProduct> products;  ///< of 1, 2, ... rows
    std::span<const OuterProduct> outer_products;

    std::int64_t rows() const { return std::ssize(products); }  ///< of the largest block
    RowProduct product(std::int64_t rows) const { return products[static_cast<std::size_t>(rows - 1)]; }
    OuterProduct outer_product(std::int64_t rows) const {
      return outer_products[static_cast<std::size_t>(rows - 1)];
    }
  };
  Width wide, narrow;

  const Width& of(bool is_narrow) const { return is_narrow ? narrow : wide; }
};
/// Of no instruction set's blocks are there more.
constexpr std::int64_t kMostRows = 11, kMostColumns = 32;

/// Those that run here, the widest first: of AVX-512, of AVX2. None without has_f32_products().
std::span<const Blocks> supported_blocks();
inline const Blocks& widest_blocks() { return supported_blocks().front(); }

/// Group `i` of as few nearly equal ones of `count` rows, none of more than `most`, as there are.
struct RowGroup {
  std::int64_t begin, end;
};
constexpr std::int64_t row_groups(std::int64_t count, std::int64_t most) { return (count + most - 1) / most; }
constexpr RowGroup row_group(std::int64_t count, std::int64_t groups, std::int64_t i) {
  return {count * i / groups, count * (i + 1) / groups};
}

}  // namespace whence::nn::f32
#endif
