// Shapes of operations that LibTorch's device meta has in Python only; see meta.h.
#include <ATen/ATen.h>
#include <ATen/ExpandUtils.h>
#include <torch/library.h>
#include <torch/version.h>

#if TORCH_VERSION_MAJOR >= 2
namespace {

at::Tensor where(const at::Tensor& condition, const at::Tensor& a, const at::Tensor& b) {
  const std::vector<std::int64_t> sizes =
      at::infer_size(at::infer_size(condition.sizes(), a.sizes()), b.sizes());
  const at::Tensor& placed = a.dim() > 0 ? a : b;  // a number beside a tensor may lie anywhere
  return at::empty(sizes, placed.options().dtype(at::result_type(a, b)).device(condition.device()));
}

at::Tensor index_select(const at::Tensor& self, std::int64_t dim, const at::Tensor& index) {
  TORCH_CHECK(index.device() == self.device(), "index_select: the index lies on ", index.device());
  std::vector<std::int64_t> sizes = self.sizes().vec();
  sizes[static_cast<std::size_t>(dim < 0 ? dim + self.dim() : dim)] = index.numel();
  return at::empty(sizes, self.options());
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, Meta, library) {
  library.impl("where.self", where);
  library.impl("index_select", index_select);
}
#endif
