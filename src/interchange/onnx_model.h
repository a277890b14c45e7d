// What an ONNX file says (onnx.proto of github.com/onnx/onnx), as far as a model of images needs it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace whence::interchange {

/// A tensor of the file. Raw bytes stay where they are, in the bytes that parse_onnx was given.
struct OnnxTensor {
  std::string name;
  std::vector<std::int64_t> dims;
  std::int64_t type = 0;  ///< TensorProto.DataType
  std::string_view raw;
  std::vector<float> floats;
  std::vector<double> doubles;
  std::vector<std::int64_t> integers;  ///< int32_data, int64_data or uint64_data
  bool external = false;               ///< its bytes lie in another file
  std::map<std::string, std::string> location;
};

struct OnnxGraphProto;

struct OnnxAttribute {
  std::string name;
  std::string reference;  ///< inside a function: the attribute of the call that it stands for
  std::int64_t type = 0;  ///< AttributeProto.AttributeType; 0 where the file does not say
  float real = 0;
  std::int64_t integer = 0;
  std::string text;
  std::vector<float> reals;
  std::vector<std::int64_t> integers;
  std::vector<OnnxTensor> tensor;     ///< none or one
  std::vector<OnnxGraphProto> graph;  ///< none or one
};

struct OnnxNode {
  std::string name, operation, domain, overload;
  std::vector<std::string> inputs, outputs;
  std::vector<OnnxAttribute> attributes;
};

/// An input or output of the graph.
struct OnnxValueInfo {
  std::string name;
  bool tensor = false;    ///< false: a sequence, a map, or not said
  std::int64_t type = 0;  ///< of its elements
  /// Sizes; nothing where one is left open. No list where the file does not say.
  std::optional<std::vector<std::optional<std::int64_t>>> sizes;
};

struct OnnxGraphProto {
  std::vector<OnnxNode> nodes;
  std::vector<OnnxTensor> initializers;
  std::vector<OnnxValueInfo> inputs, outputs;
};

/// Domain -> version of its operators; ONNX's own domain is "".
using OnnxOpsets = std::map<std::string, std::int64_t>;

struct OnnxFunction {
  std::string name, domain, overload;
  std::vector<std::string> inputs, outputs;
  std::vector<OnnxAttribute> defaults;
  std::vector<OnnxNode> nodes;
  OnnxOpsets opsets;
};

struct OnnxModel {
  OnnxOpsets opsets;
  OnnxGraphProto graph;
  std::vector<OnnxFunction> functions;
};

/// The model points into `bytes`. Error (DamagedMessage): no ModelProto.
OnnxModel parse_onnx(std::string_view bytes);

/// Whether the outermost fields are those of a ModelProto with a graph.
bool looks_like_onnx(std::string_view bytes);

}  // namespace whence::interchange
