#include "interchange/onnx_file.h"

#include <fstream>

#include "interchange/onnx_graph.h"
#include "interchange/protobuf.h"
#include "interchange/zip_archive.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::interchange {
namespace {

/// The tag of a number in the first field, a ModelProto's version.
constexpr char kFirstByte = 0x08;
/// Constants that a small file may compute: interpolation matrices, attention masks.
constexpr std::int64_t kSmallModel = std::int64_t{1} << 25;

std::int64_t most_constants(std::size_t bytes) { return kSmallModel + 4 * static_cast<std::int64_t>(bytes); }

/// Names come from the file: without what would break the line, and not too long.
std::string on_one_line(std::string sentence) {
  constexpr std::size_t longest = 600;
  for (char& letter : sentence)
    if (static_cast<unsigned char>(letter) < ' ' || letter == '\x7f') letter = '?';
  return sentence.size() <= longest ? sentence : sentence.substr(0, longest) + "...";
}

}  // namespace

bool is_onnx(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& letter : extension) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  if (extension == ".onnx") return true;
  std::ifstream file(path, std::ios::binary);
  if (file.get() != kFirstByte) return false;
  try {
    return looks_like_onnx(read_file(path));
  } catch (const Error&) {
    return false;  // whoever opens it tells what is wrong
  }
}

namespace {

torch::jit::Module load(const std::filesystem::path& path, std::optional<OnnxTexts> texts) {
  const std::string bytes = read_file(path), file = path.string();
  if (is_zip(path)) fail("{} is a zip file, not an ONNX file; unpack it, or name it as what it is", file);
  if (bytes.empty()) fail("{} is empty; export the model again", file);
  const at::NoGradGuard no_grad;
  try {
    const OnnxModel model = parse_onnx(bytes);
    return OnnxGraph(model, path, most_constants(bytes.size()), texts).build();
  } catch (const DamagedMessage& damage) {
    fail("{} is a damaged ONNX file, or none: {}; get it again, or export the model again", file,
         damage.what());
  } catch (const Error& error) {
    throw Error(on_one_line(error.what()), error.code());
  } catch (const std::exception& error) {
    fail("{} is no ONNX file that whence can read: {}", file, sentence_of(error));
  }
}

}  // namespace

torch::jit::Module load_onnx(const std::filesystem::path& path) { return load(path, std::nullopt); }

torch::jit::Module load_onnx_of_texts(const std::filesystem::path& path, const OnnxTexts& texts) {
  return load(path, texts);
}

}  // namespace whence::interchange
