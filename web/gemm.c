// The matrix product of a report's networks, for WebAssembly with its 128-bit vectors: c = a b, with a (m, k), b (k, n), c (m, n), row by
// row in float32. scripts/build-wasm compiles it; network.js has the same in plain JavaScript.
#include <wasm_simd128.h>

#define ROWS 4
#define FOR_ROWS _Pragma("clang loop unroll(full)") for (int r = 0; r < rows; ++r)

// What is left of `rows` rows from column j on.
static __attribute__((noinline)) void last_columns(const float* a, const float* b, float* c, int n, int k, int j, int rows) {
  for (; j < n; ++j)
    for (int r = 0; r < rows; ++r) {
      float sum = 0;
      for (int p = 0; p < k; ++p) sum += a[r * k + p] * b[p * n + j];
      c[r * n + j] = sum;
    }
}

// `rows` rows of c, 8 columns at a time: the sums stay in registers over all k.
static inline __attribute__((always_inline)) void rows_of(const float* a, const float* b, float* c, int n, int k, const int rows) {
  int j = 0;
  for (; j + 8 <= n; j += 8) {
    v128_t sum[ROWS][2];
    FOR_ROWS sum[r][0] = sum[r][1] = wasm_f32x4_splat(0);
    for (int p = 0; p < k; ++p) {
      const v128_t left = wasm_v128_load(b + p * n + j), right = wasm_v128_load(b + p * n + j + 4);
      FOR_ROWS {
        const v128_t factor = wasm_v128_load32_splat(a + r * k + p);
        sum[r][0] = wasm_f32x4_add(sum[r][0], wasm_f32x4_mul(factor, left));
        sum[r][1] = wasm_f32x4_add(sum[r][1], wasm_f32x4_mul(factor, right));
      }
    }
    FOR_ROWS {
      wasm_v128_store(c + r * n + j, sum[r][0]);
      wasm_v128_store(c + r * n + j + 4, sum[r][1]);
    }
  }
  last_columns(a, b, c, n, k, j, rows);
}

__attribute__((export_name("gemm"))) void gemm(const float* a, const float* b, float* c, int m, int n, int k) {
  int i = 0;
  for (; i + ROWS <= m; i += ROWS) rows_of(a + i * k, b, c + i * n, n, k, ROWS);
  for (; i < m; ++i) rows_of(a + i * k, b, c + i * n, n, k, 1);
}
