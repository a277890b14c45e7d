#include "cli/asked_images.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "experiment/folder.h"
#include "whence/core/error.h"

namespace whence::cli {

AskedImages::AskedImages(const ModelSet& models, const std::vector<std::int64_t>& named, std::int64_t count,
                         const std::string& purpose)
    : models_(models) {
  if (models.pictures && !named.empty()) fail_usage("give either --images or --picture, not both");
  if (!models.pictures) rows_ = chosen_rows(models, named, count, purpose);
}

std::int64_t AskedImages::size() const {
  return rows_.defined() ? rows_.size(0) : models_.pictures->images.size(0);
}

at::Tensor AskedImages::images(std::int64_t first, std::int64_t count) const {
  if (!rows_.defined()) return models_.pictures->images.narrow(0, first, count);
  return data::to_float(models_.test, rows_.narrow(0, first, count));
}

std::string AskedImages::name(std::int64_t i) const {
  if (!rows_.defined()) return models_.pictures->labels[static_cast<std::size_t>(i)];
  return fmt::format("image {}", rows_[i].item<std::int64_t>());
}

nlohmann::json AskedImages::facts(std::int64_t i) const {
  if (!rows_.defined()) return {{"picture", name(i)}};
  const auto row = rows_[i].item<std::int64_t>();
  const auto label = static_cast<std::size_t>(models_.test.labels[row].item<std::int64_t>());
  return {{"image", row}, {"label", models_.class_names[label]}};
}

std::string AskedImages::fingerprint() const {
  constexpr std::int64_t looked_at = 64;
  const auto bytes = [](const at::Tensor& values) {
    const at::Tensor whole = values.contiguous();
    return std::string(static_cast<const char*>(whole.data_ptr()), whole.nbytes());
  };
  return experiment::fingerprint_of(bytes(images(0, std::min(looked_at, size()))) +
                                    (rows_.defined() ? bytes(rows_) : std::string()));
}

}  // namespace whence::cli
