// Splits of a user's own texts.
#include <map>
#include <set>

#include "data/digest.h"
#include "data/paths.h"
#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/data/text/files.h"

namespace fs = std::filesystem;

namespace whence::data {
namespace {

constexpr double kTestShare = 0.15, kValidationShare = 0.1;

/// The texts of one split: the file or folder of one of these names; none where there is none.
std::vector<NamedText> read_split(const fs::path& folder, const std::vector<std::string>& names,
                                  const TextColumns& columns) {
  for (const std::string& name : names) {
    if (is_folder(folder / name)) return read_text_folders(folder / name);
    for (const char* ending : {".csv", ".tsv", ".jsonl", ".ndjson"})
      if (is_file(folder / (name + ending))) return read_text_file(folder / (name + ending), columns);
  }
  return {};
}

struct NamedSplits {
  std::vector<NamedText> train, validation, test;
};

NamedSplits read_splits(const fs::path& path, const TextColumns& columns) {
  if (is_file(path)) return {read_text_file(path, columns), {}, {}};
  if (!is_folder(path)) fail("{} does not exist; give a file or a folder of texts", path.string());
  NamedSplits splits{read_split(path, {"train"}, columns),
                     read_split(path, {"validation", "valid", "dev"}, columns),
                     read_split(path, {"test"}, columns)};
  if (!splits.train.empty()) return splits;
  if (!splits.test.empty()) fail("{} has texts to test but none to train", path.string());
  return {read_text_folders(path), {}, {}};
}

std::vector<std::string> classes_of(const std::vector<NamedText>& texts, const fs::path& path) {
  std::set<std::string> names;
  for (const NamedText& text : texts) names.insert(text.label);
  if (names.size() < 2)
    fail("all texts of {} are '{}'; a classifier needs two classes", path.string(), *names.begin());
  constexpr std::size_t most = 1000;  // beyond it, the column is no label
  if (names.size() > most)
    fail("{} has {} different labels; name the column of the classes with data.label", path.string(),
         names.size());
  return {names.begin(), names.end()};
}

TextSet labelled(const std::vector<NamedText>& texts, const std::vector<std::string>& classes,
                 const Tokenizer& tokenizer) {
  TextSet set{{}, classes};
  for (const NamedText& text : texts) {
    const auto found = std::lower_bound(classes.begin(), classes.end(), text.label);
    if (found == classes.end() || *found != text.label) {
      const std::vector<std::string_view> names(classes.begin(), classes.end());
      fail("{}: '{}' is no class of the training texts{}", text.place, text.label,
           did_you_mean(text.label, names));
    }
    set.texts.push_back({tokenizer.cut(text.text), found - classes.begin()});
    if (set.texts.back().words.empty()) fail("{}: the text has no word; leave the line out", text.place);
  }
  return set;
}

/// Moves the texts with the smallest digests out of `texts`; equal texts go together.
TextSet held_back(TextSet& texts, double share) {
  std::map<std::string, std::vector<LabelledText>> by_digest;
  for (LabelledText& text : texts.texts) {
    std::string digest = digest_of(join_words(text.words));
    by_digest[std::move(digest)].push_back(std::move(text));
  }
  const auto wanted = static_cast<std::size_t>(std::ceil(share * static_cast<double>(texts.texts.size())));
  TextSet back{{}, texts.class_names};
  texts.texts.clear();
  for (auto& [digest, same] : by_digest) {
    TextSet& into = back.texts.size() < wanted ? back : texts;
    into.texts.insert(into.texts.end(), same.begin(), same.end());
  }
  return back;
}

}  // namespace

TextSplits load_texts(const fs::path& path, const TextColumns& columns, const Tokenizer& tokenizer) {
  const NamedSplits named = read_splits(path, columns);
  const std::vector<std::string> classes = classes_of(named.train, path);
  TextSplits splits;
  splits.train = labelled(named.train, classes, tokenizer);
  splits.test =
      named.test.empty() ? held_back(splits.train, kTestShare) : labelled(named.test, classes, tokenizer);
  splits.validation = named.validation.empty() ? held_back(splits.train, kValidationShare)
                                               : labelled(named.validation, classes, tokenizer);
  for (const auto& [set, name] :
       {std::pair{&splits.train, "training"}, {&splits.validation, "validation"}, {&splits.test, "test"}})
    if (set->texts.empty()) fail("{} leaves no {} text; it needs more different texts", path.string(), name);
  splits.phrases = phrases_of(splits.train);
  splits.test_phrases = phrases_of(splits.test);
  return splits;
}

}  // namespace whence::data
