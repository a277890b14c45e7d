#include "interchange/pt2_tensors.h"

#include <ATen/ops/empty.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "whence/core/error.h"

namespace whence::interchange {
namespace {

constexpr std::int64_t kStrided = 7;

/// A size, stride or offset: {"as_int": 3}, or a plain number in early files.
std::int64_t fixed_number(const nlohmann::json& value) {
  return value.is_number_integer() ? value.get<std::int64_t>() : value.at("as_int").get<std::int64_t>();
}

std::vector<std::int64_t> fixed_numbers(const nlohmann::json& list) {
  std::vector<std::int64_t> numbers;
  for (const nlohmann::json& value : list) numbers.push_back(fixed_number(value));
  return numbers;
}

/// How many elements of a storage the tensor reaches; -1 where the numbers make no sense.
std::int64_t reach_of(const std::vector<std::int64_t>& sizes, const std::vector<std::int64_t>& strides,
                      std::int64_t offset) {
  constexpr std::int64_t most = std::int64_t{1} << 46;
  if (sizes.size() != strides.size() || offset < 0 || offset > most) return -1;
  std::int64_t last = offset;
  bool empty = false;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] < 0 || strides[i] < 0 || sizes[i] > most || strides[i] > most) return -1;
    empty = empty || sizes[i] == 0;
    const std::int64_t steps = std::max<std::int64_t>(sizes[i] - 1, 0);
    if (steps > 0 && strides[i] > (most - last) / steps) return -1;
    last += steps * strides[i];
  }
  return empty ? 0 : last + 1;
}

/// The payload as a vector of its type.
at::Tensor storage_of(const std::string& payload, at::ScalarType type) {
  const auto width = static_cast<std::int64_t>(c10::elementSize(type));
  const auto bytes = static_cast<std::int64_t>(payload.size());
  at::Tensor storage = at::empty({bytes / width}, at::TensorOptions(type));
  if (bytes >= width)
    std::memcpy(storage.data_ptr(), payload.data(), static_cast<std::size_t>(bytes / width * width));
  return storage;
}

at::Tensor read_tensor(const ZipArchive& archive, const std::string& name, const nlohmann::json& entry,
                       const std::string& folder) {
  const std::string file = archive.path().string();
  if (entry.value("use_pickle", false))
    fail(
        "{} holds {} as a Python object (a tensor subclass), which is not read; export a model of plain "
        "tensors",
        file, name);
  const nlohmann::json& meta = entry.at("tensor_meta");
  if (meta.contains("layout") && meta.at("layout").get<std::int64_t>() != kStrided)
    fail("{} holds {} as a sparse tensor; export the model with dense ones", file, name);
  const at::ScalarType type = scalar_type_of(meta.at("dtype").get<std::int64_t>(), archive.path());
  const TensorView view = {fixed_numbers(meta.at("sizes")), fixed_numbers(meta.at("strides")),
                           fixed_number(meta.at("storage_offset"))};
  return tensor_in(archive.read(folder + entry.at("path_name").get<std::string>()), type, view, file, name);
}

}  // namespace

at::Tensor tensor_in(const std::string& bytes, at::ScalarType type, const TensorView& view,
                     const std::string& file, const std::string& name) {
  const at::Tensor storage = storage_of(bytes, type);
  const std::int64_t reach = reach_of(view.sizes, view.strides, view.offset);
  double elements = 1;  // more than the storage has where strides are 0
  for (const std::int64_t size : view.sizes) elements *= static_cast<double>(size);
  constexpr double most_repeated = 1 << 24;
  if (reach < 0 || reach > storage.numel() ||
      elements > std::max(most_repeated, static_cast<double>(storage.numel())))
    fail("{} is damaged: {} does not fit the bytes that it has; export the model again", file, name);
  const at::Tensor tensor = storage.as_strided(view.sizes, view.strides, view.offset).clone();
  return tensor.is_floating_point() ? tensor.to(at::kFloat) : tensor;
}

at::ScalarType scalar_type_of(std::int64_t number, const std::filesystem::path& file) {
  static const std::map<std::int64_t, at::ScalarType> types = {
      {1, at::kByte}, {2, at::kChar},  {3, at::kShort},  {4, at::kInt},   {5, at::kLong},
      {6, at::kHalf}, {7, at::kFloat}, {8, at::kDouble}, {12, at::kBool}, {13, at::kBFloat16}};
  const auto found = types.find(number);
  if (found == types.end())
    fail("{} uses the number type {} of torch.export, which is not read; export the model in float32",
         file.string(), number);
  return found->second;
}

std::map<std::string, at::Tensor> read_tensors(const ZipArchive& archive, const std::string& root) {
  if (archive.has(root + "byteorder") && archive.read(root + "byteorder") != "little")
    fail("{} was written on a big-endian machine, whose numbers are not read; export it on another one",
         archive.path().string());
  std::map<std::string, at::Tensor> tensors;
  // "weights_config" is what 2.9 and later write; "model_param_config" is an older spelling.
  for (const char* folder : {"data/weights/", "data/constants/"}) {
    for (const std::string& config : archive.find(root + folder, "_config.json")) {
      const nlohmann::json entries = nlohmann::json::parse(archive.read(config)).at("config");
      for (const auto& [name, entry] : entries.items())
        tensors[name] = read_tensor(archive, name, entry, root + folder);
    }
  }
  return tensors;
}

}  // namespace whence::interchange
