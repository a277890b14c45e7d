#include "interchange/script_columns.h"

#include <algorithm>
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
  call.require(dimension == 1, "a part of an image");
  const auto within = [&](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + count : at, 0, count);
  };
  const std::int64_t first = within(start), last = within(end);
  const bool columns = std::holds_alternative<Linear>(call.network().op(layer)) && shape.size() == 1;
  if (columns && call.is_read_once("self"))
    return keep_columns(call, at::arange(count, at::kLong).slice(0, start, end, step));
  call.require(step == 1 && last > first, "channels that do not follow one another");
  return call.network().add(Slice{first, last - first}, {layer});
}

LayerId narrow(OperatorCall& call) {
  const LayerId layer = call.first_layer();
  call.require(call.dimension("dim", layer) == 1, "a part of an image");
  return call.network().add(Slice{call.integer("start"), call.integer("length")}, {layer});
}

LayerId select(OperatorCall& call) {
  const LayerId layer = call.layer("self");
  Shape shape = call.network().shape(layer);
  call.require(call.dimension("dim", layer) == 1 && shape.size() > 1, "a part of an image or of the batch");
  const std::int64_t given = call.integer("index");
  const LayerId channel = call.network().add(Slice{given < 0 ? given + shape[0] : given, 1}, {layer});
  shape.erase(shape.begin());
  return call.network().add(Reshape{std::move(shape)}, {channel});
}

std::vector<LayerId> parts(OperatorCall& call, std::string_view name) {
  if (name != "aten::chunk" && name != "aten::split" && name != "aten::split_with_sizes") return {};
  const LayerId layer = call.layer("self");
  const std::int64_t count = call.network().shape(layer)[0];
  call.require(call.dimension("dim", layer) == 1, "another dimension than that of channels");
  std::vector<std::int64_t> lengths;
  const char* sizes = call.has("split_sizes") ? "split_sizes" : "split_size";
  if (name != "aten::chunk" && call.is_list(sizes)) {
    lengths = call.integers(sizes);
  } else {
    const std::int64_t chunks = name == "aten::chunk" ? call.integer("chunks") : 1;
    const std::int64_t each = name == "aten::chunk" ? (count + chunks - 1) / chunks : call.integer(sizes);
    call.require(each >= 1, "parts of no channel");
    for (std::int64_t start = 0; start < count; start += each)
      lengths.push_back(std::min(each, count - start));
  }
  std::vector<LayerId> layers;
  std::int64_t start = 0;
  for (const std::int64_t length : lengths) {
    layers.push_back(call.network().add(Slice{start, length}, {layer}));
    start += length;
  }
  return layers;
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
