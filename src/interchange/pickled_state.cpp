#include "interchange/pickled_state.h"

#include "interchange/pickle.h"
#include "interchange/zip_archive.h"
#include "whence/core/error.h"

namespace whence::interchange {

std::map<std::string, at::Tensor> read_pickled_tensors(const ZipArchive& archive, const std::string& entry) {
  const std::string bytes = archive.read(entry);
  if (bytes.empty()) return {};  // no constants
  const ZipArchive inner(archive.path(), bytes);
  const std::vector<std::string> pickles = inner.find("", "data.pkl");
  if (pickles.size() != 1)
    fail("{} is damaged: {} holds no weights; export the model again", archive.path().string(), entry);
  const std::string root =
      pickles.front().substr(0, pickles.front().size() - std::string_view("data.pkl").size());
  if (inner.has(root + "byteorder") && inner.read(root + "byteorder") != "little")
    fail("{} was written on a big-endian machine, whose numbers are not read; export it on another one",
         archive.path().string());
  const std::string pickle = inner.read(pickles.front());
  return TensorUnpickler(archive.path().string(), pickle,
                         [&](const std::string& key) { return inner.read(root + "data/" + key); })
      .read();
}

}  // namespace whence::interchange
