#include "interchange/onnx_tensors.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>

#include <charconv>
#include <cstring>
#include <fstream>

#include "whence/core/error.h"

namespace whence::interchange {
namespace {

/// TensorProto.DataType
enum OnnxType : std::int64_t {
  kFloat32 = 1,
  kUint8,
  kInt8,
  kUint16,
  kInt16,
  kInt32,
  kInt64,
  kText,
  kBoolean,
  kFloat16,
  kFloat64,
  kUint32,
  kUint64,
  kBfloat16 = 16
};

/// The type whose bytes are the file's; those without one in LibTorch are widened by hand.
std::optional<at::ScalarType> stored_type(std::int64_t type) {
  switch (type) {
    case kFloat32:
      return at::kFloat;
    case kUint8:
      return at::kByte;
    case kInt8:
      return at::kChar;
    case kUint16:
    case kInt16:
      return at::kShort;
    case kInt32:
    case kUint32:
      return at::kInt;
    case kInt64:
    case kUint64:
      return at::kLong;
    case kBoolean:
      return at::kBool;
    case kFloat16:
      return at::kHalf;
    case kFloat64:
      return at::kDouble;
    case kBfloat16:
      return at::kBFloat16;
    default:
      return std::nullopt;
  }
}

[[noreturn]] void misfit(const OnnxTensor& tensor, const std::filesystem::path& file) {
  fail("{} is damaged: the weight {} does not fit the numbers that it has; export the model again",
       file.string(), tensor.name);
}

std::int64_t elements_in(const OnnxTensor& tensor, const std::filesystem::path& file) {
  constexpr std::int64_t most = std::int64_t{1} << 40;
  std::int64_t total = 1;
  if (tensor.dims.size() > 16) misfit(tensor, file);
  for (const std::int64_t size : tensor.dims) {
    if (size < 0 || (size > 0 && total > most / size)) misfit(tensor, file);
    total *= size;
  }
  return total;
}

std::uint64_t number_at(const OnnxTensor& tensor, const char* key, std::uint64_t otherwise,
                        const std::filesystem::path& file) {
  const auto found = tensor.location.find(key);
  if (found == tensor.location.end()) return otherwise;
  std::uint64_t number = 0;
  const char* end = found->second.data() + found->second.size();
  if (std::from_chars(found->second.data(), end, number).ptr != end || found->second.empty())
    misfit(tensor, file);
  return number;
}

/// The file beside the model. It must not lead anywhere else: the model may come from strangers.
std::filesystem::path beside(const std::filesystem::path& file, const OnnxTensor& tensor) {
  const auto found = tensor.location.find("location");
  const std::filesystem::path name = found == tensor.location.end() ? "" : found->second;
  const auto refuse = [&](const char* why) {
    fail("{} keeps the weight {} in '{}', which {}; only files in the model's own folder are read",
         file.string(), tensor.name, name.string(), why);
  };
  if (name.empty() || name.is_absolute()) refuse("is no name of a file in its folder");
  std::filesystem::path whole = file.parent_path();
  for (const std::filesystem::path& part : name) {
    if (part == "..") refuse("leaves its folder");
    whole /= part;
    std::error_code ignored;
    if (std::filesystem::is_symlink(std::filesystem::symlink_status(whole, ignored)))
      refuse("is a symbolic link");
  }
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(whole, ignored))
    fail("{} keeps its weights in '{}', which is not there; put it beside the model", file.string(),
         name.string());
  return whole;
}

std::string external_bytes(const OnnxTensor& tensor, std::uint64_t wanted,
                           const std::filesystem::path& file) {
  const std::filesystem::path path = beside(file, tensor);
  std::error_code ignored;
  const std::uint64_t size = std::filesystem::file_size(path, ignored);
  const std::uint64_t offset = number_at(tensor, "offset", 0, file);
  const std::uint64_t length = number_at(tensor, "length", wanted, file);
  if (length != wanted) misfit(tensor, file);
  if (offset > size || wanted > size - offset)
    fail("{} is cut off: the weight {} lies behind its end; copy it again", path.string(), tensor.name);
  std::string bytes(wanted, '\0');
  std::ifstream stream(path, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(offset));
  if (!stream.read(bytes.data(), static_cast<std::streamsize>(wanted)))
    fail("{} cannot be read", path.string());
  return bytes;
}

/// Numbers that are not raw bytes; half precision stands in whole numbers as its bits.
at::Tensor listed(const OnnxTensor& tensor, std::int64_t count, const std::filesystem::path& file) {
  const auto check = [&](std::size_t size) {
    if (static_cast<std::int64_t>(size) != count) misfit(tensor, file);
  };
  if (tensor.type == kFloat32) {
    check(tensor.floats.size());
    return at::tensor(tensor.floats, at::kFloat);
  }
  if (tensor.type == kFloat64) {
    check(tensor.doubles.size());
    return at::tensor(tensor.doubles, at::kDouble);
  }
  check(tensor.integers.size());
  const at::Tensor numbers = at::tensor(tensor.integers, at::kLong);
  if (tensor.type != kFloat16 && tensor.type != kBfloat16) return numbers;
  const at::Tensor bits = numbers.to(at::kShort);
  return bits.view(tensor.type == kFloat16 ? at::kHalf : at::kBFloat16);
}

/// Unsigned numbers read as signed ones.
at::Tensor unsigned_again(at::Tensor numbers, std::int64_t type) {
  if (type == kUint16) return numbers.bitwise_and(0xffff);
  if (type == kUint32) return numbers.bitwise_and(at::Scalar(std::int64_t{0xffffffff}));
  return numbers;
}

}  // namespace

at::ScalarType onnx_scalar_type(std::int64_t type, const std::string& what) {
  const std::optional<at::ScalarType> stored = stored_type(type);
  if (!stored)
    fail("{} has the number type {} of ONNX, which is not read; export the model in float32", what, type);
  if (c10::isFloatingType(*stored)) return at::kFloat;
  return *stored == at::kBool ? at::kBool : at::kLong;
}

at::Tensor read_onnx_tensor(const OnnxTensor& tensor, const std::filesystem::path& file) {
  const at::ScalarType running =
      onnx_scalar_type(tensor.type, fmt::format("{}: the weight {}", file.string(), tensor.name));
  const std::int64_t count = elements_in(tensor, file);
  const at::ScalarType stored = *stored_type(tensor.type);
  const auto wanted = static_cast<std::uint64_t>(count) * c10::elementSize(stored);
  const bool is_listed = !tensor.external && tensor.raw.empty();
  at::Tensor numbers;
  if (is_listed) {
    numbers = listed(tensor, count, file);
  } else {
    const std::string outside = tensor.external ? external_bytes(tensor, wanted, file) : std::string();
    const std::string_view bytes = tensor.external ? std::string_view(outside) : tensor.raw;
    if (bytes.size() != wanted) misfit(tensor, file);
    numbers = at::empty({count}, at::TensorOptions(stored));
    if (count > 0) std::memcpy(numbers.data_ptr(), bytes.data(), bytes.size());
  }
  if (stored == at::kBool && !is_listed) numbers = numbers.view(at::kByte).ne(0);  // other bytes than 0 and 1
  return unsigned_again(numbers.to(running), tensor.type).reshape(tensor.dims);
}

}  // namespace whence::interchange
