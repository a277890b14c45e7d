// A generator whose causal factors come first.
#pragma once

#include <ATen/ATen.h>

#include "whence/models/roles.h"

namespace whence::python {

/// Latent i of this decoder is latent order[i] of the other one.
class ReorderedDecoder final : public models::Decoder {
 public:
  ReorderedDecoder(const models::Decoder& inner, const std::vector<std::int64_t>& order) : inner_(inner) {
    const at::TensorOptions numbers = at::TensorOptions(inner.device()).dtype(at::kLong);
    place_ = at::argsort(at::tensor(order, numbers));
  }
  at::Tensor decode(const at::Tensor& z) const override { return inner_.decode(z.index_select(1, place_)); }
  std::int64_t latents() const override { return inner_.latents(); }
  at::Device device() const override { return inner_.device(); }

 private:
  const models::Decoder& inner_;
  at::Tensor place_;
};

}  // namespace whence::python
