#include <fmt/ranges.h>

#include <algorithm>

#include "experiment/session.h"
#include "experiment/stages.h"
#include "whence/data/fetch.h"
#include "whence/data/text/summary.h"

namespace whence::experiment {
namespace {

std::string hash(const at::Tensor& tensor) {
  const at::Tensor whole = tensor.contiguous();
  return fingerprint_of({static_cast<const char*>(whole.data_ptr()), whole.nbytes()});
}

constexpr std::string_view kNotAsPublished = "not as published";

/// Whether a known set's files are the published ones; "" where nobody can tell.
std::string_view state_of_files(const DataOptions& options) {
  const auto known = std::ranges::find(data::known_sets(), options.set, &data::KnownSet::name);
  if (known == data::known_sets().end()) return "";
  std::optional<std::filesystem::path> path;
  if (!options.path.empty()) path = options.path;
  const auto place = data::locate(*known, path);
  if (!place) return "";
  const auto differences = data::differences(*known, *place);
  if (!differences) return "";
  return differences->empty() ? "as published" : kNotAsPublished;
}

std::string check_command(const DataOptions& options) {
  return fmt::format("whence data check {}", options.set) +
         (options.path.empty() ? "" : fmt::format(" --path {}", options.path));
}

nlohmann::json phrases_content(const data::Phrases& phrases) {
  std::string all;
  for (const data::Words& words : phrases.words) all += data::join_words(words) + "\n";
  return {fingerprint_of(all), hash(phrases.targets)};
}

nlohmann::json texts_content(const data::TextSet& texts) {
  std::string all;
  for (const data::LabelledText& text : texts.texts) all += data::join_words(text.words) + "\n";
  return {fingerprint_of(all), hash(texts.labels())};
}

StageResult text_stage(Session& session) {
  constexpr std::int64_t least = 2;
  nlohmann::json metrics = data::to_json(data::summary_of(session.texts(), least));
  metrics["set"] = session.get<DataOptions>().set;
  return {metrics,
          {},
          fmt::format("{} training and {} test texts of {}", session.texts().train.size(),
                      session.texts().test.size(), fmt::join(session.texts().train.class_names, ", ")),
          session.load_seconds()};
}

}  // namespace

nlohmann::json content_of(const data::Dataset& dataset) {
  return {hash(dataset.images), hash(dataset.labels)};
}

/// Only the content of the files matters, not their place.
nlohmann::json data_content(Session& session) {
  if (is_text(session.get<DataOptions>()))
    return {{"train", phrases_content(session.texts().phrases)},
            {"test", texts_content(session.texts().test)}};
  return {{"train", content_of(session.data().train)}, {"test", content_of(session.data().test)}};
}

StageResult data_stage(Session& session) {
  if (is_text(session.get<DataOptions>())) return text_stage(session);
  const data::Splits& splits = session.data();
  const std::int64_t validation = splits.has_validation() ? splits.validation.size() : 0;
  nlohmann::json metrics = {{"set", session.get<DataOptions>().set},
                            {"classes", splits.train.class_names},
                            {"image", splits.train.images.sizes().slice(1).vec()},
                            {"train_images", splits.train.size()},
                            {"validation_images", validation},
                            {"test_images", splits.test.size()}};
  std::string summary = fmt::format("{} training and {} test images of {}", splits.train.size(),
                                    splits.test.size(), fmt::join(splits.train.class_names, ", "));
  if (!splits.note.empty()) {
    metrics["note"] = splits.note;
    summary += "; " + splits.note;
  }
  if (const std::string_view files = state_of_files(session.get<DataOptions>()); !files.empty()) {
    metrics["files"] = files;
    summary += fmt::format("; files {}", files);
    if (files == kNotAsPublished)
      summary += fmt::format(" (`{}` tells more)", check_command(session.get<DataOptions>()));
  }
  return {metrics, {}, summary, session.load_seconds()};
}

}  // namespace whence::experiment
