#include "experiment/folder.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::experiment {

Stamp read_stamp(const RunFolder& folder, std::string_view stage) {
  const std::filesystem::path path = folder.stamp(stage);
  Stamp stamp;
  if (!std::filesystem::exists(path)) return stamp;
  const nlohmann::json json = read_json(path);
  try {
    json.at("finished").get_to(stamp.finished);
    stamp.inputs = json.at("inputs");
    json.at("fingerprint").get_to(stamp.fingerprint);
    json.at("seconds").get_to(stamp.seconds);
    json.at("peak_memory_bytes").get_to(stamp.peak_memory_bytes);
    stamp.metrics = json.at("metrics");
    json.at("products").get_to(stamp.products);
  } catch (const nlohmann::json::exception&) {
    fail("{} is not a stage's stamp; delete it to do that stage again", path.string());
  }
  return stamp;
}

void write_stamp(const RunFolder& folder, std::string_view stage, const Stamp& stamp) {
  write_json(folder.stamp(stage), {{"finished", stamp.finished},
                                   {"inputs", stamp.inputs},
                                   {"fingerprint", stamp.fingerprint},
                                   {"seconds", stamp.seconds},
                                   {"peak_memory_bytes", stamp.peak_memory_bytes},
                                   {"metrics", stamp.metrics},
                                   {"products", stamp.products}});
}

std::string fingerprint_of(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 0x100000001b3;
  }
  return fmt::format("{:016x}", hash);
}

}  // namespace whence::experiment
