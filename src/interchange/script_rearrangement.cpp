#include "interchange/script_rearrangement.h"

#include <fmt/ranges.h>

#include <numeric>

#include "nn/graph/shapes.h"

namespace whence::nn {
namespace {

LayerId reshape_to(OperatorCall& call, LayerId input, Shape shape) {
  if (shape == call.network().shape(input)) return input;
  if (shape.size() == 1) return call.network().add(Flatten{}, {input});
  return call.network().add(Reshape{std::move(shape)}, {input});
}

/// Fills in a -1 of PyTorch's.
Shape completed(const OperatorCall& call, Shape shape, std::int64_t total) {
  const auto open = std::find(shape.begin(), shape.end(), -1);
  if (open != shape.end()) {
    *open = 1;
    const std::int64_t rest = elements(shape);
    call.require(rest > 0 && total % rest == 0, "a shape that its input does not divide into");
    *open = total / rest;
  }
  call.require(elements(shape) == total, "a shape ({}) that does not keep the batch dimension",
               fmt::join(shape, "x"));
  return shape;
}

/// Only shapes that leave the batch dimension alone: (N, ...) or (-1, ...) where the rest is one whole
/// sample.
LayerId add_view(OperatorCall& call, const char* argument) {
  const LayerId input = call.layer("self");
  const std::vector<Symbol> sizes = call.sizes(argument);
  call.require(sizes.size() >= 2, "a shape without a batch dimension");
  if (const auto* first = std::get_if<c10::IValue>(&sizes.front().value)) {
    call.require(first->isInt() && first->toInt() == -1, "a fixed batch size");
  }
  Shape shape;
  for (std::size_t i = 1; i < sizes.size(); ++i) {
    const auto* size = std::get_if<c10::IValue>(&sizes[i].value);
    call.require(size != nullptr && size->isInt(), "a shape that moves the batch dimension");
    shape.push_back(size->toInt());
  }
  return reshape_to(call, input, completed(call, shape, elements(call.network().shape(input))));
}

}  // namespace

LayerId view(OperatorCall& call) { return add_view(call, "size"); }
LayerId reshape(OperatorCall& call) { return add_view(call, "shape"); }

LayerId flatten(OperatorCall& call) {
  const LayerId input = call.layer("self");
  const Shape& shape = call.network().shape(input);
  const std::int64_t start = call.dimension("start_dim", input) - 1, end = call.dimension("end_dim", input);
  call.require(start >= 0, "start_dim 0, which flattens the batch");
  call.require(start < end && end <= static_cast<std::int64_t>(shape.size()),
               "dimensions that are not there");
  Shape flat(shape.begin(), shape.begin() + start);
  flat.push_back(elements(Shape(shape.begin() + start, shape.begin() + end)));
  flat.insert(flat.end(), shape.begin() + end, shape.end());
  return reshape_to(call, input, flat);
}

LayerId unflatten(OperatorCall& call) {
  const LayerId input = call.layer("self");
  const Shape& shape = call.network().shape(input);
  const std::int64_t dimension = call.dimension("dim", input) - 1;
  call.require(dimension >= 0 && dimension < static_cast<std::int64_t>(shape.size()),
               "the batch dimension to unflatten");
  const Shape inner = completed(call, call.integers("sizes"), shape[static_cast<std::size_t>(dimension)]);
  Shape whole(shape.begin(), shape.begin() + dimension);
  whole.insert(whole.end(), inner.begin(), inner.end());
  whole.insert(whole.end(), shape.begin() + dimension + 1, shape.end());
  return reshape_to(call, input, whole);
}

LayerId unsqueeze(OperatorCall& call) {
  const LayerId input = call.layer("self");
  Shape shape = call.network().shape(input);
  const std::int64_t given = call.integer("dim");
  const std::int64_t dimension = given < 0 ? given + static_cast<std::int64_t>(shape.size()) + 2 : given;
  call.require(dimension >= 1 && dimension <= static_cast<std::int64_t>(shape.size()) + 1,
               "a new dimension in front of the batch");
  shape.insert(shape.begin() + (dimension - 1), 1);
  return call.network().add(Reshape{std::move(shape)}, {input});
}

LayerId squeeze(OperatorCall& call) {
  const LayerId input = call.layer("self");
  Shape shape = call.network().shape(input);
  call.require(call.has("dim"), "no dimension to squeeze, so that a batch of one loses its own");
  const std::int64_t dimension = call.dimension("dim", input) - 1;
  call.require(dimension >= 0 && dimension < static_cast<std::int64_t>(shape.size()),
               "the batch dimension to squeeze");
  if (shape[static_cast<std::size_t>(dimension)] != 1) return input;
  shape.erase(shape.begin() + dimension);
  call.require(!shape.empty(), "one number for each sample");
  return reshape_to(call, input, shape);
}

LayerId permute(OperatorCall& call) {
  const LayerId input = call.layer("self");
  const auto rank = static_cast<std::int64_t>(call.network().shape(input).size()) + 1;
  Shape order;
  for (const std::int64_t given : call.integers("dims"))
    order.push_back((given < 0 ? given + rank : given) - 1);
  call.require(!order.empty() && order.front() == -1, "an order that moves the batch");
  return call.network().add(Permute{Shape(order.begin() + 1, order.end())}, {input});
}

LayerId transpose(OperatorCall& call) {
  const LayerId input = call.layer("self");
  const std::int64_t first = call.dimension("dim0", input) - 1, second = call.dimension("dim1", input) - 1;
  Shape order(call.network().shape(input).size());
  const auto rank = static_cast<std::int64_t>(order.size());
  call.require(first >= 0 && second >= 0 && first < rank && second < rank, "an order that moves the batch");
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[static_cast<std::size_t>(first)], order[static_cast<std::size_t>(second)]);
  return call.network().add(Permute{std::move(order)}, {input});
}

LayerId zero_pad(OperatorCall& call) {
  std::vector<std::int64_t> pad = call.integers("pad");
  call.require(call.is_none("value") || call.number("value") == 0, "a value other than 0");
  call.require(pad.size() == 2 || pad.size() == 4, "a padding of {} numbers", pad.size());
  pad.resize(4, 0);
  return call.network().add(ZeroPad2d{pad[0], pad[1], pad[2], pad[3]}, {call.layer("self")});
}

/// Both sizes a whole multiple of the input's; given as sizes, as factors or (in traces) as both.
LayerId upsample_nearest(OperatorCall& call) {
  const LayerId input = call.first_layer();
  const Shape& shape = call.network().shape(input);
  call.require(shape.size() == 3, "an input that is no image");
  std::vector<double> factors;
  if (call.is_none("output_size")) {
    factors = call.numbers("scale_factors");
  } else {
    const std::vector<std::int64_t> sizes = call.integers("output_size");
    for (std::size_t i = 0; i < sizes.size() && i < 2; ++i)
      factors.push_back(static_cast<double>(sizes[i]) / static_cast<double>(shape[i + 1]));
  }
  call.require(factors.size() == 2 && factors[0] == factors[1] && factors[0] >= 1 &&
                   factors[0] == std::floor(factors[0]),
               "factors of {}, not one whole number", fmt::join(factors, "x"));
  return call.network().add(UpsampleNearest2d{static_cast<std::int64_t>(factors[0])}, {input});
}

LayerId pad(OperatorCall& call) {
  call.require(call.text("mode") == "constant", "mode {}", call.text("mode"));
  return zero_pad(call);
}

LayerId concatenate(OperatorCall& call) {
  const std::vector<LayerId> inputs = call.layers("tensors");
  call.require(!inputs.empty() && call.dimension("dim", inputs.front()) == 1, "another dimension than 1");
  return inputs.size() == 1 ? inputs.front() : call.network().add(Concat{}, inputs);
}

}  // namespace whence::nn
