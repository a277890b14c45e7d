#include "whence/interchange/safetensors.h"

#include <bit>
#include <cstring>
#include <limits>
#include <set>
#include <utility>

#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::nn {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian");

constexpr std::size_t length_bytes = 8;
constexpr std::uint64_t largest_header = 100'000'000;  // the limit of the public format
constexpr std::size_t largest_rank = 64;               // LibTorch's

struct ElementType {
  at::ScalarType type;
  std::string_view name;
};
constexpr ElementType element_types[] = {
    {at::kDouble, "F64"}, {at::kFloat, "F32"}, {at::kHalf, "F16"},  {at::kBFloat16, "BF16"},
    {at::kLong, "I64"},   {at::kInt, "I32"},   {at::kShort, "I16"}, {at::kChar, "I8"},
    {at::kByte, "U8"},    {at::kBool, "BOOL"},
};

/// One entry of the header, checked in itself.
struct Entry {
  std::string name;
  at::ScalarType type;
  std::vector<std::int64_t> shape;
  std::uint64_t begin, end;
};

/// Reads one file's bytes; every complaint names the file.
class Reader {
 public:
  Reader(const std::filesystem::path& path, std::string_view bytes) : path_(path), bytes_(bytes) {}

  SafetensorsFile read() {
    const nlohmann::json header = parse_header();
    SafetensorsFile file;
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name == "__metadata__") {
        file.metadata = metadata_of(value);
      } else {
        entries.push_back(entry_of(name, value));
      }
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    check_coverage(entries);
    for (const Entry& entry : entries) file.tensors.push_back({entry.name, tensor_of(entry)});
    return file;
  }

 private:
  template <class... Args>
  [[noreturn]] void reject(fmt::format_string<Args...> format, Args&&... args) const {
    fail("{} is not a valid safetensors file: {}; write it again", path_.string(),
         fmt::format(format, std::forward<Args>(args)...));
  }

  nlohmann::json parse_header() {
    if (bytes_.size() < length_bytes)
      reject("it has {} bytes, too few for the header's length", bytes_.size());
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), length_bytes);
    if (length > largest_header) reject("its header claims {} bytes, more than {}", length, largest_header);
    if (length > bytes_.size() - length_bytes) {
      reject("its header claims {} bytes but {} follow", length, bytes_.size() - length_bytes);
    }
    const std::string_view text = bytes_.substr(length_bytes, length);
    data_ = bytes_.substr(length_bytes + length);
    if (text.empty() || text.front() != '{') reject("its header is not a JSON object");

    // The parser itself keeps the last of two equal keys and any depth of nesting: both are refused as they
    // appear.
    std::set<std::string> outer, inner;
    const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
      using enum nlohmann::json::parse_event_t;
      if (depth > 3) reject("its header is nested too deeply");
      if (event == object_start && depth == 1) inner.clear();
      if (event == key && !(depth == 1 ? outer : inner).insert(parsed.get<std::string>()).second) {
        reject("the name \"{}\" appears twice", parsed.get<std::string>());
      }
      return true;
    };
    try {
      return nlohmann::json::parse(text, watch);
    } catch (const nlohmann::json::exception&) {
      reject("its header is not JSON");
    }
  }

  std::map<std::string, std::string> metadata_of(const nlohmann::json& value) const {
    if (!value.is_object()) reject("__metadata__ is not an object");
    std::map<std::string, std::string> metadata;
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) reject("__metadata__ \"{}\" is not a string", key);
      metadata[key] = text.get<std::string>();
    }
    return metadata;
  }

  Entry entry_of(const std::string& name, const nlohmann::json& value) const {
    const auto has = [&](const char* key) { return value.is_object() && value.contains(key); };
    if (!has("dtype") || !has("shape") || !has("data_offsets") || value.size() != 3) {
      reject("tensor \"{}\" has other keys than dtype, shape and data_offsets", name);
    }
    const std::vector<std::uint64_t> offsets = integers_of(name, "data_offsets", value["data_offsets"]);
    if (offsets.size() != 2) reject("tensor \"{}\" has {} data_offsets, not 2", name, offsets.size());
    Entry entry{name, type_of(name, value["dtype"]), {}, offsets[0], offsets[1]};
    if (entry.begin > entry.end || entry.end > data_.size()) {
      reject("tensor \"{}\" lies at bytes {} to {} of {} bytes of data", name, entry.begin, entry.end,
             data_.size());
    }
    const std::vector<std::uint64_t> shape = integers_of(name, "shape", value["shape"]);
    if (shape.size() > largest_rank) reject("tensor \"{}\" has {} dimensions", name, shape.size());
    const std::uint64_t expected = bytes_of(name, shape, c10::elementSize(entry.type));
    if (entry.end - entry.begin != expected) {
      reject("tensor \"{}\" has {} bytes where its shape needs {}", name, entry.end - entry.begin, expected);
    }
    for (const std::uint64_t size : shape) entry.shape.push_back(static_cast<std::int64_t>(size));
    return entry;
  }

  at::ScalarType type_of(const std::string& name, const nlohmann::json& value) const {
    if (!value.is_string()) reject("the dtype of tensor \"{}\" is not a string", name);
    const auto text = value.get<std::string>();
    for (const ElementType& known : element_types) {
      if (known.name == text) return known.type;
    }
    reject("tensor \"{}\" has the unknown dtype \"{}\"", name, text);
  }

  std::vector<std::uint64_t> integers_of(const std::string& name, std::string_view what,
                                         const nlohmann::json& value) const {
    if (!value.is_array()) reject("the {} of tensor \"{}\" is not a list", what, name);
    std::vector<std::uint64_t> integers;
    for (const nlohmann::json& item : value) {
      if (!item.is_number_unsigned()) {
        reject("the {} of tensor \"{}\" holds something other than whole numbers from 0 up", what, name);
      }
      integers.push_back(item.get<std::uint64_t>());
    }
    return integers;
  }

  std::uint64_t bytes_of(const std::string& name, const std::vector<std::uint64_t>& shape,
                         std::uint64_t element) const {
    // Sizes are multiplied as if zeros were ones, so that strides cannot overflow either.
    constexpr auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    std::uint64_t bytes = element;
    bool empty = false;
    for (const std::uint64_t size : shape) {
      empty = empty || size == 0;
      const std::uint64_t factor = std::max<std::uint64_t>(size, 1);
      if (bytes > limit / factor) reject("the shape of tensor \"{}\" is too large", name);
      bytes *= factor;
    }
    return empty ? 0 : bytes;
  }

  void check_coverage(const std::vector<Entry>& entries) const {
    std::uint64_t covered = 0;
    for (const Entry& entry : entries) {
      if (entry.begin != covered) {
        reject("the bytes of tensor \"{}\" {} those before it", entry.name,
               entry.begin < covered ? "overlap" : "leave a gap to");
      }
      covered = entry.end;
    }
    if (covered != data_.size()) reject("{} bytes at its end belong to no tensor", data_.size() - covered);
  }

  at::Tensor tensor_of(const Entry& entry) const {
    const std::string_view bytes = data_.substr(entry.begin, entry.end - entry.begin);
    // Any other byte would be undefined behaviour wherever the tensor is read.
    const auto is_bool = [](char byte) { return byte == 0 || byte == 1; };
    if (entry.type == at::kBool && !std::all_of(bytes.begin(), bytes.end(), is_bool)) {
      reject("tensor \"{}\" has BOOL elements other than 0 and 1", entry.name);
    }
    at::Tensor tensor = at::empty(entry.shape, at::TensorOptions().dtype(entry.type));
    if (!bytes.empty()) std::memcpy(tensor.data_ptr(), bytes.data(), bytes.size());
    return tensor;
  }

  const std::filesystem::path& path_;
  std::string_view bytes_;
  std::string_view data_;
};

std::string_view type_name(const NamedTensor& named) {
  for (const ElementType& known : element_types) {
    if (known.type == named.tensor.scalar_type()) return known.name;
  }
  TORCH_CHECK(false, "safetensors cannot hold tensor '", named.name, "' of type ",
              named.tensor.scalar_type());
}

}  // namespace

void save_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                      const std::map<std::string, std::string>& metadata) {
  NamedTensors ordered = tensors;
  std::stable_sort(ordered.begin(), ordered.end(), [](const NamedTensor& a, const NamedTensor& b) {
    return a.tensor.element_size() > b.tensor.element_size();
  });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t end = 0;
  for (const NamedTensor& named : ordered) {
    TORCH_CHECK(!header.contains(named.name) && named.name != "__metadata__", "tensor name '", named.name,
                "' is taken");
    const std::size_t begin = std::exchange(end, end + named.tensor.nbytes());
    header[named.name] = {
        {"dtype", type_name(named)}, {"shape", named.tensor.sizes().vec()}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.append((length_bytes - text.size() % length_bytes) % length_bytes, ' ');
  const std::uint64_t length = text.size();

  std::string bytes;  // as long as it will be from the start: training waits for its checkpoints
  bytes.reserve(length_bytes + text.size() + end);
  bytes.append(reinterpret_cast<const char*>(&length), length_bytes).append(text);
  for (const NamedTensor& named : ordered) {
    const at::Tensor tensor = named.tensor.detach().to(at::kCPU).contiguous();
    bytes.append(static_cast<const char*>(tensor.data_ptr()), tensor.nbytes());
  }
  write_file(path, bytes);
}

SafetensorsFile load_safetensors(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  return Reader(path, bytes).read();
}

void load_network(const std::filesystem::path& path, Network& network) {
  const SafetensorsFile file = load_safetensors(path);
  try {
    network.load_state(file.tensors);
  } catch (const Error& error) {
    fail("{}: {}", path.string(), error.what());
  }
}

}  // namespace whence::nn
