#include "interchange/exported_program.h"

#include <nlohmann/json.hpp>

#include "interchange/pickled_state.h"
#include "interchange/pt2_graph.h"
#include "interchange/pt2_tensors.h"
#include "interchange/zip_archive.h"
#include "whence/core/error.h"

namespace whence::interchange {
namespace {

constexpr std::int64_t kMajor = 8;  // of the schema, from PyTorch 2.6 on
/// PyTorch 2.7 and earlier: no folders.
constexpr const char* kFlatProgram = "serialized_exported_program.json";

/// The folder that all entries of an archive lie in, "" or "model/"; nothing where it is none of torch.export's.
std::optional<std::string> root_of(const ZipArchive& archive) {
  for (const char* mark : {"archive_format", kFlatProgram}) {
    const std::vector<std::string> found = archive.find("", mark);
    if (!found.empty()) return found.front().substr(0, found.front().size() - std::string_view(mark).size());
  }
  return std::nullopt;
}

/// The program of an archive with one model.
nlohmann::json program_of(const ZipArchive& archive, const std::string& root) {
  const std::string file = archive.path().string();
  if (archive.has(root + kFlatProgram)) return nlohmann::json::parse(archive.read(root + kFlatProgram));
  const std::vector<std::string> models = archive.find(root + "models/", ".json");
  if (models.empty())
    fail(
        "{} holds no program of torch.export (compiled by AOTInductor, perhaps, which cannot be explained); "
        "write "
        "it with torch.export.save",
        file);
  if (models.size() > 1)
    fail("{} holds {} models; save the one that is to be explained", file, models.size());
  return nlohmann::json::parse(archive.read(models.front()));
}

void check_version(const nlohmann::json& program, const std::string& file) {
  const std::int64_t major = program.at("schema_version").at("major").get<std::int64_t>();
  if (major != kMajor)
    fail(
        "{} has version {} of torch.export's format, but whence reads version {}; save it with a PyTorch "
        "from 2.9 on "
        "that writes it",
        file, major, kMajor);
}

/// Weights and constants by their names: raw numbers, or pickles of PyTorch 2.8 and earlier.
std::map<std::string, at::Tensor> tensors_of(const ZipArchive& archive, const std::string& root) {
  std::map<std::string, at::Tensor> tensors = read_tensors(archive, root);
  const auto append = [&](const std::string& entry) { tensors.merge(read_pickled_tensors(archive, entry)); };
  for (const char* flat : {"serialized_state_dict.pt", "serialized_constants.pt"})
    if (archive.has(root + flat)) append(root + flat);
  for (const char* folder : {"data/weights/", "data/constants/"})
    for (const std::string& entry : archive.find(root + folder, ".pt")) append(entry);
  return tensors;
}

}  // namespace

bool is_exported_program(const std::filesystem::path& path) {
  if (!is_zip(path)) return false;
  try {
    return root_of(ZipArchive(path)).has_value();
  } catch (const Error&) {
    return false;  // whoever opens it tells what is wrong
  }
}

torch::jit::Module load_exported_program(const std::filesystem::path& path) {
  const ZipArchive archive(path);
  const std::string root = root_of(archive).value_or("");
  try {
    const nlohmann::json program = program_of(archive, root);
    check_version(program, path.string());
    const auto tensors = tensors_of(archive, root);
    return Pt2Graph(path.string(), program, tensors).build();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    fail("{} is not a program of torch.export that whence can read: {}", path.string(), sentence_of(error));
  }
}

}  // namespace whence::interchange
