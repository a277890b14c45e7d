#include "cli/data_text.h"

#include <iostream>

#include "whence/core/error.h"
#include "whence/data/fetch.h"
#include "whence/data/known.h"
#include "whence/data/text/files.h"
#include "whence/data/text/summary.h"
#include "whence/data/text/trees.h"

namespace whence::cli {
namespace {

constexpr std::int64_t kLeast = 2;

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

void print(const data::TextSummary& summary) {
  for (const data::TextSummary::Split& split : summary.splits) {
    std::string classes;
    for (std::size_t i = 0; i < split.per_class.size(); ++i)
      classes += fmt::format("{}{} {}", i == 0 ? "" : ", ", split.per_class[i], summary.class_names[i]);
    std::cout << fmt::format("{:<11} {} texts of {} to {} words (median {}): {}\n", split.name, split.texts,
                             split.shortest, split.longest, split.median, classes);
    std::cout << fmt::format(
        "            {} of the words known; {} texts {}\n", percent(split.known), split.in_train,
        split.name == "training" ? "stand there twice" : "also stand in the training split");
  }
  std::cout << fmt::format("{} judged phrases; {} words stand {} times in the training texts\n",
                           summary.phrases, summary.vocabulary, summary.least);
}

/// Error: a file that is not as published.
void compare_with_published(const std::filesystem::path& path) {
  const data::KnownSet& set = data::known_texts().front();
  const auto place =
      data::locate(set, path.empty() ? std::nullopt : std::optional<std::filesystem::path>(path));
  const auto differences = place ? data::differences(set, *place) : std::nullopt;
  if (!differences) return;
  if (differences->empty()) {
    std::cout << "as published\n";
    return;
  }
  for (const std::string& difference : *differences) std::cout << "  " << difference << "\n";
  std::cout.flush();
  fail("{} is damaged or not the published version; `whence data fetch sst` gets the published one",
       place->folder.string());
}

nlohmann::json coverage_of(const data::TextSplits& splits, const std::vector<std::string>& files) {
  std::vector<data::Words> words;
  for (const data::LabelledText& text : splits.train.texts) words.push_back(text.words);
  const data::Vocabulary vocabulary(words, kLeast);
  nlohmann::json coverage = nlohmann::json::object();
  for (const std::string& file : files)
    coverage[file] = data::coverage(vocabulary, data::read_word_vectors(file));
  return coverage;
}

}  // namespace

void check_texts(const std::string& name, const std::filesystem::path& path,
                 const std::vector<std::string>& vectors, bool json) {
  if (name == "texts" && path.empty()) fail_usage("give the file or folder of the texts with --path");
  const data::TextSplits splits =
      name == "sst" ? data::load_sst(path, data::SstClasses::binary) : data::load_texts(path, {});
  const data::TextSummary summary = data::summary_of(splits, kLeast);
  const nlohmann::json coverage = coverage_of(splits, vectors);
  if (json) {
    nlohmann::json facts = data::to_json(summary);
    facts["vectors"] = coverage;
    std::cout << facts.dump(2) << "\n";
    return;
  }
  print(summary);
  if (name == "sst") compare_with_published(path);
  for (const auto& [file, share] : coverage.items())
    std::cout << fmt::format("{}: vectors for {} of these words\n", file, percent(share));
}

}  // namespace whence::cli
