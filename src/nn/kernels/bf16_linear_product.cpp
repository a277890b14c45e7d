#include "nn/kernels/bf16_linear_product.h"

#include "nn/kernels/bf16_strip.h"

namespace whence::nn {

bool fits_linear_products(const at::Tensor& weight) {
  return weight.dim() == 2 && weight.size(0) % 32 == 0 && weight.size(1) % 32 == 0;
}

#ifdef WHENCE_HAS_BF16_CODE

namespace {

using namespace bf16;

/// Samples that share one pass over the weight.
constexpr std::int64_t kSamples = 64;
/// Inputs that are taken together: rows of a large weight lie pages apart, so that each is read and written for a while
/// before the next.
constexpr std::int64_t kPanel = 512;
/// Halves from the tiles of 32 columns of a right matrix to those of the next 32, for a depth that is a multiple of 32.
constexpr std::int64_t columns_of_depth(std::int64_t depth) { return kBlock * depth; }

std::int64_t chunks_of(std::int64_t samples) { return (samples + kSamples - 1) / kSamples; }

/// 32 elements of a row as halves.
WHENCE_BF16 inline __m512i narrowed(const float* from) {
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + 16), _mm512_loadu_ps(from)));
}
WHENCE_BF16 inline __m512i narrowed(const Half* from) { return _mm512_loadu_si512(from); }

/// Rows of the right matrix, in pairs: for each 32 columns, and each 32 rows of them, two tiles, whose rows are a0 b0 a1 b1
/// ... of rows a and b.
class PairPacker {
 public:
  /// `depth`: rows of the matrix, a multiple of 32.
  WHENCE_BF16 PairPacker(Half* tiles, std::int64_t depth) : tiles_(tiles), depth_(depth) {
    alignas(64) Half low[32], high[32];
    for (std::size_t i = 0; i < 16; ++i) {
      const auto column = static_cast<Half>(i);
      low[2 * i] = column, low[2 * i + 1] = static_cast<Half>(32 + column);
      high[2 * i] = static_cast<Half>(16 + column), high[2 * i + 1] = static_cast<Half>(48 + column);
    }
    low_ = _mm512_load_si512(low);
    high_ = _mm512_load_si512(high);
  }

  /// Rows `row` and row + 1 of `columns` elements; the second is zero where it is null.
  template <class Element>
  WHENCE_BF16 void add(std::int64_t row, const Element* a, const Element* b, std::int64_t columns) const {
    Half* to = tiles_ + row / kDepth * 2 * kTileHalves + row % kDepth / 2 * kDepth;
    for (std::int64_t c = 0; c < columns; c += kBlock, to += columns_of_depth(depth_)) {
      const __m512i first = narrowed(a + c), second = b == nullptr ? _mm512_setzero_si512() : narrowed(b + c);
      _mm512_storeu_si512(to, _mm512_permutex2var_epi16(first, low_, second));
      _mm512_storeu_si512(to + kTileHalves, _mm512_permutex2var_epi16(first, high_, second));
    }
  }

  /// 32 columns from `column` on.
  WHENCE_BF16 RightMatrix matrix(std::int64_t column) const {
    const Half* first = tiles_ + column / kBlock * columns_of_depth(depth_);
    return {first, first + kTileHalves, 2 * kTileHalves, 0};
  }

 private:
  Half* tiles_;
  std::int64_t depth_;
  __m512i low_, high_;
};

/// y' = W x', 32 outputs at a time: the weight's rows are read as they lie.
template <class Element>
struct Forward {
  const Half* x;
  const Element* weight;
  const float* bias;
  Half* y;
  std::int64_t samples, inputs, outputs;

  std::int64_t steps() const { return inputs / kDepth; }
  std::int64_t stride() const { return inputs + kDepth; }  ///< of 32 narrow rows; not a power of two
  std::int64_t packed() const { return rounded_up(std::min(samples, kSamples), kColumns) * inputs; }
  std::int64_t scratch() const {
    return std::int64_t{sizeof(Half)} * (packed() + kBlock * stride()) +
           std::int64_t{sizeof(float)} * kBlock * kBlock;
  }

  WHENCE_BF16 void operator()(std::int64_t chunk, std::byte* bytes) const {
    auto* tiles = reinterpret_cast<Half*>(bytes);
    Half* rows = tiles + packed();
    auto* sums = reinterpret_cast<float*>(rows + kBlock * stride());
    const std::int64_t first = chunk * kSamples, count = std::min(kSamples, samples - first);
    for (std::int64_t s = 0; s < count; s += kColumns) pack(first + s, tiles + s * inputs);
    const Half* const piece = rows;
    const LeftMatrix left{&piece, 1, steps(), stride()};
    for (std::int64_t o = 0; o < outputs; o += kBlock) {
      for (std::int64_t i = 0; i < kBlock; ++i)
        for (std::int64_t k = 0; k < inputs; k += kDepth)
          _mm512_storeu_si512(rows + i * stride() + k, narrowed(weight + (o + i) * inputs + k));
      for (std::int64_t s = 0; s < count; s += kBlock) {
        const Half* const of_samples = tiles + s * inputs;
        const Half* const second = s + kColumns < count ? of_samples + kColumns * inputs : nullptr;
        multiply_block(left, 0, {of_samples, second, kTileHalves, 0}, sums, kBlock, false);
        for (std::int64_t t = 0; t < std::min(kBlock, count - s); t += kColumns)
          write(first + s + t, o, sums + t);
      }
    }
  }

  /// 16 samples, transposed in pairs of elements.
  WHENCE_BF16 void pack(std::int64_t sample, Half* to) const {
    for (std::int64_t k = 0; k < inputs; k += kDepth, to += kTileHalves) {
      __m512i square[16];
      for (std::int64_t i = 0; i < 16; ++i)
        square[i] =
            sample + i < samples ? _mm512_loadu_si512(x + (sample + i) * inputs + k) : _mm512_setzero_si512();
      transpose(square);
      for (int i = 0; i < 16; ++i) _mm512_storeu_si512(to + i * kDepth, square[i]);
    }
  }

  /// 32 outputs of up to 16 samples, whose sums stand in columns.
  WHENCE_BF16 void write(std::int64_t sample, std::int64_t output, const float* sums) const {
    for (std::int64_t half = 0; half < kBlock; half += 16) {
      __m512i square[16];
      for (std::int64_t i = 0; i < 16; ++i) square[i] = _mm512_loadu_si512(sums + (half + i) * kBlock);
      transpose(square);
      const __m512 shift = bias == nullptr ? _mm512_setzero_ps() : _mm512_loadu_ps(bias + output + half);
      for (std::int64_t i = 0; i < std::min<std::int64_t>(16, samples - sample); ++i) {
        const __m512 value = _mm512_add_ps(reinterpret_cast<__m512>(square[i]), shift);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + (sample + i) * outputs + output + half),
                            reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(value)));
      }
    }
  }
};

/// A panel of inputs at a time: all outputs' rows of the weight are the right matrix.
template <class Element>
struct Back {
  const Half* gradient;
  const Element* weight;
  Half* of_x;
  std::int64_t samples, inputs, outputs;

  std::int64_t stride() const { return outputs + kDepth; }
  std::int64_t scratch() const {
    return std::int64_t{sizeof(Half)} * (kSamples * stride() + kPanel * outputs) +
           std::int64_t{sizeof(float)} * kBlock * kBlock;
  }

  WHENCE_BF16 void operator()(std::int64_t chunk, std::byte* bytes) const {
    auto* rows = reinterpret_cast<Half*>(bytes);
    Half* tiles = rows + kSamples * stride();
    auto* sums = reinterpret_cast<float*>(tiles + kPanel * outputs);
    const std::int64_t first = chunk * kSamples, count = std::min(kSamples, samples - first);
    for (std::int64_t s = 0; s < count; ++s)
      copy(gradient + (first + s) * outputs, rows + s * stride(), outputs);
    const Half* const piece = rows;
    const LeftMatrix left{&piece, 1, outputs / kDepth, stride()};
    const PairPacker right(tiles, outputs);
    for (std::int64_t begin = 0; begin < inputs; begin += kPanel) {
      const std::int64_t width = std::min(kPanel, inputs - begin);
      for (std::int64_t o = 0; o < outputs; o += 2) {
        const Element* row = weight + o * inputs + begin;
        right.add(o, row, row + inputs, width);
      }
      for (std::int64_t s = 0; s < count; s += kBlock) {
        for (std::int64_t c = 0; c < width; c += kBlock) {
          multiply_block(left, s * stride(), right.matrix(c), sums, kBlock, false, count - s);
          for (std::int64_t i = 0; i < std::min(kBlock, count - s); ++i)
            finish(sums + i * kBlock, nullptr, -std::numeric_limits<float>::infinity(),
                   of_x + (first + s + i) * inputs + begin + c, kBlock);
        }
      }
    }
  }
};

/// A panel of inputs, whose sums go straight to where they belong.
struct ForWeight {
  const Half *left, *x;  ///< left: the gradient transposed, (outputs, samples rounded up to 32)
  float* of_weight;
  std::int64_t samples, inputs, outputs;

  std::int64_t padded() const { return rounded_up(samples, kDepth); }
  std::int64_t scratch() const {
    return std::int64_t{sizeof(Half)} * padded() * kPanel + std::int64_t{sizeof(float)} * kBlock * kBlock;
  }

  WHENCE_BF16 void operator()(std::int64_t panel, std::byte* bytes) const {
    const LeftMatrix matrix{&left, 1, padded() / kDepth, padded(), samples};
    auto* tiles = reinterpret_cast<Half*>(bytes);
    auto* sums = reinterpret_cast<float*>(tiles + padded() * kPanel);
    const PairPacker right(tiles, padded());
    const std::int64_t begin = panel * kPanel, width = std::min(kPanel, inputs - begin);
    for (std::int64_t s = 0; s < samples; s += 2) {
      const Half* row = x + s * inputs + begin;
      right.add(s, row, s + 1 < samples ? row + inputs : nullptr, width);
    }
    for (std::int64_t o = 0; o < outputs; o += kBlock) {
      for (std::int64_t c = 0; c < width; c += kBlock) {
        multiply_block(matrix, o * padded(), right.matrix(c), sums, kBlock, false);
        write(sums, of_weight + o * inputs + begin + c);
      }
    }
    _mm_sfence();
  }

  /// Past the caches: the gradient of a large weight would push out everything else, and is read much later.
  WHENCE_BF16 void write(const float* sums, float* to) const {
    for (std::int64_t i = 0; i < kBlock; ++i, sums += kBlock, to += inputs) {
      _mm512_stream_ps(to, _mm512_load_ps(sums));
      _mm512_stream_ps(to + 16, _mm512_load_ps(sums + 16));
    }
  }
};

/// Calls product(elements of the weight) in the type that they have.
template <class Product>
void with_elements(const at::Tensor& weight, const Product& product) {
  if (weight.scalar_type() == at::kBFloat16)
    product(static_cast<const Half*>(halves(weight)));
  else
    product(static_cast<const float*>(weight.data_ptr<float>()));
}

}  // namespace

void multiply_by_weight(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                        const at::Tensor& output) {
  with_elements(weight, [&]<class Element>(const Element* elements) {
    const Forward<Element> product{
        halves(x),      elements,  bias.numel() > 0 ? bias.data_ptr<float>() : nullptr,
        halves(output), x.size(0), weight.size(1),
        weight.size(0)};
    for_each_block(chunks_of(x.size(0)), product.scratch(), product);
  });
}

void multiply_back(const at::Tensor& gradient, const at::Tensor& weight, const at::Tensor& output) {
  with_elements(weight, [&]<class Element>(const Element* elements) {
    const Back<Element> product{halves(gradient), elements,       halves(output),
                                gradient.size(0), weight.size(1), weight.size(0)};
    for_each_block(chunks_of(gradient.size(0)), product.scratch(), product);
  });
}

void multiply_for_weight(const at::Tensor& gradient, const at::Tensor& x, const at::Tensor& output) {
  const std::int64_t samples = x.size(0);
  const at::Tensor left = at::zeros({gradient.size(1), rounded_up(samples, kDepth)}, at::kBFloat16);
  left.narrow(1, 0, samples).copy_(gradient.t());
  const ForWeight product{halves(left), halves(x), output.data_ptr<float>(),
                          samples,      x.size(1), gradient.size(1)};
  for_each_block((x.size(1) + kPanel - 1) / kPanel, product.scratch(), product);
}

#else

void multiply_by_weight(const at::Tensor&, const at::Tensor&, const at::Tensor&, const at::Tensor&) {
  TORCH_CHECK(false, "bfloat16 products are not in this build");
}
void multiply_back(const at::Tensor&, const at::Tensor&, const at::Tensor&) {
  TORCH_CHECK(false, "bfloat16 products are not in this build");
}
void multiply_for_weight(const at::Tensor&, const at::Tensor&, const at::Tensor&) {
  TORCH_CHECK(false, "bfloat16 products are not in this build");
}

#endif

}  // namespace whence::nn
