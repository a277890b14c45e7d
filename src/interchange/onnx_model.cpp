#include "interchange/onnx_model.h"

#include "interchange/protobuf.h"

namespace whence::interchange {
namespace {

/// Numbers of fields, from onnx.proto.
namespace model_field {
constexpr std::uint32_t graph = 7, opset = 8, function = 25;
}

std::string_view onnx_domain(std::string_view domain) { return domain == "ai.onnx" ? "" : domain; }

/// Calls handle(field) for each field of the message.
template <class Handle>
void each_field(std::string_view message, int depth, Handle&& handle) {
  ProtoReader reader(message, depth);
  ProtoField field;
  while (reader.next(field)) handle(field);
}

void parse_opset(std::string_view message, int depth, OnnxOpsets& opsets) {
  std::string domain;
  std::int64_t version = 0;
  each_field(message, depth, [&](const ProtoField& f) {
    if (f.number() == 1) domain = onnx_domain(f.bytes());
    if (f.number() == 2) version = f.integer();
  });
  opsets[domain] = version;
}

std::pair<std::string, std::string> parse_entry(std::string_view message, int depth) {
  std::pair<std::string, std::string> entry;
  each_field(message, depth, [&](const ProtoField& f) {
    if (f.number() == 1) entry.first = f.text();
    if (f.number() == 2) entry.second = f.text();
  });
  return entry;
}

OnnxTensor parse_tensor(std::string_view message, int depth) {
  OnnxTensor tensor;
  each_field(message, depth, [&](const ProtoField& f) {
    switch (f.number()) {
      case 1:
        return f.append_integers(tensor.dims);
      case 2:
        tensor.type = f.integer();
        return;
      case 4:
        return f.append_floats(tensor.floats);
      case 5:   // int32_data
      case 7:   // int64_data
      case 11:  // uint64_data
        return f.append_integers(tensor.integers);
      case 8:
        tensor.name = f.text();
        return;
      case 9:
        tensor.raw = f.bytes();
        return;
      case 10:
        return f.append_doubles(tensor.doubles);
      case 13:
        tensor.location.insert(parse_entry(f.bytes(), depth + 1));
        return;
      case 14:
        tensor.external = f.integer() == 1;
        return;
      default:
        return;
    }
  });
  return tensor;
}

OnnxGraphProto parse_graph(std::string_view message, int depth);

OnnxAttribute parse_attribute(std::string_view message, int depth) {
  OnnxAttribute attribute;
  each_field(message, depth, [&](const ProtoField& f) {
    switch (f.number()) {
      case 1:
        attribute.name = f.text();
        return;
      case 2:
        attribute.real = f.real();
        return;
      case 3:
        attribute.integer = f.integer();
        return;
      case 4:
        attribute.text = f.text();
        return;
      case 5:
        attribute.tensor.assign(1, parse_tensor(f.bytes(), depth + 1));
        return;
      case 6:
        attribute.graph.assign(1, parse_graph(f.bytes(), depth + 1));
        return;
      case 7:
        return f.append_floats(attribute.reals);
      case 8:
        return f.append_integers(attribute.integers);
      case 20:
        attribute.type = f.integer();
        return;
      case 21:
        attribute.reference = f.text();
        return;
      default:
        return;
    }
  });
  return attribute;
}

OnnxNode parse_node(std::string_view message, int depth) {
  OnnxNode node;
  each_field(message, depth, [&](const ProtoField& f) {
    switch (f.number()) {
      case 1:
        node.inputs.push_back(f.text());
        return;
      case 2:
        node.outputs.push_back(f.text());
        return;
      case 3:
        node.name = f.text();
        return;
      case 4:
        node.operation = f.text();
        return;
      case 5:
        node.attributes.push_back(parse_attribute(f.bytes(), depth + 1));
        return;
      case 7:
        node.domain = onnx_domain(f.bytes());
        return;
      case 8:
        node.overload = f.text();
        return;
      default:
        return;
    }
  });
  return node;
}

std::optional<std::int64_t> parse_dimension(std::string_view message, int depth) {
  std::optional<std::int64_t> size;
  each_field(message, depth, [&](const ProtoField& f) {
    if (f.number() == 1) size = f.integer();
  });
  return size;
}

/// TypeProto.Tensor
void parse_tensor_type(std::string_view message, int depth, OnnxValueInfo& info) {
  info.tensor = true;
  each_field(message, depth, [&](const ProtoField& f) {
    if (f.number() == 1) info.type = f.integer();
    if (f.number() != 2) return;
    info.sizes.emplace();
    each_field(f.bytes(), depth + 1, [&](const ProtoField& dimension) {
      if (dimension.number() == 1) info.sizes->push_back(parse_dimension(dimension.bytes(), depth + 2));
    });
  });
}

OnnxValueInfo parse_value_info(std::string_view message, int depth) {
  OnnxValueInfo info;
  each_field(message, depth, [&](const ProtoField& f) {
    if (f.number() == 1) info.name = f.text();
    if (f.number() != 2) return;
    each_field(f.bytes(), depth + 1, [&](const ProtoField& type) {
      if (type.number() == 1) parse_tensor_type(type.bytes(), depth + 2, info);
    });
  });
  return info;
}

OnnxGraphProto parse_graph(std::string_view message, int depth) {
  OnnxGraphProto graph;
  each_field(message, depth, [&](const ProtoField& f) {
    switch (f.number()) {
      case 1:
        graph.nodes.push_back(parse_node(f.bytes(), depth + 1));
        return;
      case 5:
        graph.initializers.push_back(parse_tensor(f.bytes(), depth + 1));
        return;
      case 11:
        graph.inputs.push_back(parse_value_info(f.bytes(), depth + 1));
        return;
      case 12:
        graph.outputs.push_back(parse_value_info(f.bytes(), depth + 1));
        return;
      default:
        return;
    }
  });
  return graph;
}

OnnxFunction parse_function(std::string_view message, int depth) {
  OnnxFunction function;
  each_field(message, depth, [&](const ProtoField& f) {
    switch (f.number()) {
      case 1:
        function.name = f.text();
        return;
      case 4:
        function.inputs.push_back(f.text());
        return;
      case 5:
        function.outputs.push_back(f.text());
        return;
      case 7:
        function.nodes.push_back(parse_node(f.bytes(), depth + 1));
        return;
      case 9:
        return parse_opset(f.bytes(), depth + 1, function.opsets);
      case 10:
        function.domain = onnx_domain(f.bytes());
        return;
      case 11:
        function.defaults.push_back(parse_attribute(f.bytes(), depth + 1));
        return;
      case 13:
        function.overload = f.text();
        return;
      default:
        return;
    }
  });
  return function;
}

}  // namespace

OnnxModel parse_onnx(std::string_view bytes) {
  OnnxModel model;
  bool has_graph = false;
  each_field(bytes, 0, [&](const ProtoField& f) {
    if (f.number() == model_field::graph) {
      model.graph = parse_graph(f.bytes(), 1);
      has_graph = true;
    }
    if (f.number() == model_field::opset) parse_opset(f.bytes(), 1, model.opsets);
    if (f.number() == model_field::function) model.functions.push_back(parse_function(f.bytes(), 1));
  });
  if (!has_graph) throw DamagedMessage("it holds no graph");
  return model;
}

bool looks_like_onnx(std::string_view bytes) {
  try {
    bool has_graph = false;
    each_field(bytes, 0, [&](const ProtoField& f) {
      if (f.number() == model_field::graph) has_graph = !f.bytes().empty();
    });
    return has_graph;
  } catch (const DamagedMessage&) {
    return false;
  }
}

}  // namespace whence::interchange
