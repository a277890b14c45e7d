#include "stages.h"

namespace whence::run {
namespace {

std::string hash(const at::Tensor& tensor) {
  const at::Tensor whole = tensor.contiguous();
  return fingerprint_of({static_cast<const char*>(whole.data_ptr()), whole.nbytes()});
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

nlohmann::json content_of(const data::Dataset& dataset) {
  return {hash(dataset.images), hash(dataset.labels)};
}

/// Where the files lie does not matter, what is in them does.
nlohmann::json data_content(Session& session) {
  return {{"train", content_of(session.data().train)}, {"test", content_of(session.data().test)}};
}

StageResult data_stage(Session& session) {
  const data::Splits& splits = session.data();
  const std::int64_t validation = splits.has_validation() ? splits.validation.size() : 0;
  return {{{"data",
            {{"set", session.recipe().data.set},
             {"classes", splits.train.class_names},
             {"image", splits.train.images.sizes().slice(1).vec()},
             {"train_images", splits.train.size()},
             {"validation_images", validation},
             {"test_images", splits.test.size()}}}},
          {},
          fmt::format("{} training and {} test images of {}", splits.train.size(), splits.test.size(),
                      joined(splits.train.class_names)),
          session.load_seconds()};
}

}  // namespace whence::run
