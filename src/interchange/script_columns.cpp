#include "interchange/script_columns.h"

#include <limits>

namespace whence::nn {
namespace {

/// `columns`: whole numbers, negative ones from the end.
LayerId keep_columns(OperatorCall& call, const at::Tensor& columns) {
  const LayerId layer = call.layer("self");
  const auto* linear = std::get_if<Linear>(&call.network().op(layer));
  call.require(linear != nullptr && call.is_read_once("self"),
               "columns to choose from what is no linear layer of its own");
  call.require(columns.dim() == 1 && columns.numel() > 0 && columns.scalar_type() == at::kLong,
               "columns that are no list of whole numbers");
  const std::int64_t count = linear->features;
  const at::Tensor wanted = at::where(columns.lt(0), columns + count, columns);
  call.require(wanted.ge(0).logical_and(wanted.lt(count)).all().item<bool>(),
               "a column that is not among {} of them", count);
  call.network().keep_features(layer, wanted);
  return layer;
}

}  // namespace

LayerId slice(OperatorCall& call) {
  const LayerId layer = call.layer("self");
  const std::int64_t dimension = call.dimension("dim", layer), step = call.integer("step");
  const std::int64_t start = call.is_none("start") ? 0 : call.integer("start");
  const std::int64_t end =
      call.is_none("end") ? std::numeric_limits<std::int64_t>::max() : call.integer("end");
  const Shape& shape = call.network().shape(layer);
  const bool from_the_first = start == 0 && step == 1;
  if (dimension == 0) {
    call.require(
        from_the_first && end == std::numeric_limits<std::int64_t>::max() && call.is_read_once("self"),
        "a part of the batch");
    return layer;
  }
  const std::int64_t count = shape[static_cast<std::size_t>(dimension - 1)];
  if (from_the_first && end >= count && call.is_read_once("self")) return layer;
  call.require(shape.size() == 1, "a part of an image");
  return keep_columns(call, at::arange(count, at::kLong).slice(0, start, end, step));
}

LayerId index(OperatorCall& call) {
  const std::vector<c10::IValue> indices = call.items("indices");
  const std::size_t last = indices.size() - 1;
  const bool of_columns = indices.size() == 2 && indices[0].isNone() && indices[last].isTensor() &&
                          call.network().shape(call.layer("self")).size() == 1;
  call.require(of_columns, "another choice than of columns");
  return keep_columns(call, indices[last].toTensor());
}

LayerId index_select(OperatorCall& call) {
  const LayerId layer = call.layer("self");
  call.require(call.dimension("dim", layer) == 1 && call.network().shape(layer).size() == 1,
               "another choice than of columns");
  return keep_columns(call, call.tensor("index"));
}

}  // namespace whence::nn
