#include "whence/data/text/tokenizer_file.h"

#include <utf8proc.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "data/text/letters.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/data/text/byte_pairs.h"
#include "whence/data/text/vocabulary.h"
#include "whence/data/text/word_pieces.h"

namespace whence::data {
namespace {

using nlohmann::json;

std::string composed(const std::string& text) {
  utf8proc_uint8_t* found = nullptr;
  const utf8proc_ssize_t length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), std::ssize(text), &found,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owner(found, std::free);
  if (length < 0) return text;
  return {reinterpret_cast<const char*>(found), static_cast<std::size_t>(length)};
}

std::string in_small_letters(const std::string& text) {
  Letters letters = letters_of(text);
  std::transform(letters.begin(), letters.end(), letters.begin(), small);
  return utf8(letters);
}

/// A tokenizer.json. Every error names it.
class TokenizerJson {
 public:
  explicit TokenizerJson(const std::filesystem::path& file) : name_(file.string()) {
    guarded([&] { file_ = json::parse(read_file(file)); });
  }

  Words words() const {
    Words words;
    guarded([&] { words = words_by_number(); });
    return words;
  }

  ModelTokenizer tokenizer() const {
    ModelTokenizer model;
    guarded([&] {
      model.words = words_by_number();
      model.unknown = unknown();
      for (const json& part : parts_of("post_processor", "processors")) add_around(model, part);
      const std::string type = type_of(file_.at("model"));
      if (type != "WordPiece" && type != "BPE") refuse("model", type, "WordPiece and BPE");
      model.tokenizer = type == "BPE" ? byte_pairs(model.words)
                                      : word_piece_tokenizer(WordPieces(model.words, model.unknown));
    });
    return model;
  }

 private:
  template <class Work>
  void guarded(Work work) const {
    try {
      work();
    } catch (const json::exception& error) {
      fail("{} is no tokenizer.json: {}", name_, error.what());
    }
  }

  /// What a part is called; "none" where it is missing.
  static std::string type_of(const json& part) {
    return part.is_object() ? part.value("type", "none") : "none";
  }
  json part(const char* name) const { return file_.value(name, json()); }
  /// Of a sequence its parts, under `inside`; otherwise the part alone.
  std::vector<json> parts_of(const char* name, const char* inside) const {
    const json whole = part(name);
    if (type_of(whole) != "Sequence") return {whole};
    return whole.at(inside).get<std::vector<json>>();
  }

  [[noreturn]] void refuse(const char* part, const std::string& type, const char* known) const {
    fail("{}: the {} is '{}', but whence knows {}; in Python, give whence.text_classifier the tokenizer",
         name_, part, type, known);
  }

  Words words_by_number() const {
    std::vector<std::pair<std::size_t, std::string>> known;
    for (const auto& [piece, number] : file_.at("model").at("vocab").items())
      known.emplace_back(number.get<std::size_t>(), piece);
    for (const json& token : part("added_tokens"))
      known.emplace_back(token.at("id").get<std::size_t>(), token.at("content").get<std::string>());
    std::size_t size = 0;
    for (const auto& [number, piece] : known) size = std::max(size, number + 1);
    constexpr std::size_t most = 10'000'000;
    if (size > most) fail("{}: a piece has the number {}, which is more than {}", name_, size - 1, most - 1);
    Words words;
    for (std::size_t number = 0; number < size; ++number) words.push_back(fmt::format("[none {}]", number));
    for (auto& [number, piece] : known) words[number] = std::move(piece);
    return words;
  }

  std::string unknown() const {
    const json own = file_.at("model").value("unk_token", json());
    if (own.is_string()) return own.get<std::string>();
    std::string last;
    for (const json& token : part("added_tokens")) {
      last = token.at("content").get<std::string>();
      if (last == "<unk>") return last;
    }
    if (last.empty()) fail("{} has no token that can stand for unknown pieces", name_);
    return last;
  }

  void add_around(ModelTokenizer& model, const json& processor) const {
    const std::string type = type_of(processor);
    if (type == "none" || type == "ByteLevel") return;
    if (type == "RobertaProcessing" || type == "BertProcessing") {
      model.before.push_back(processor.at("cls").at(0).get<std::string>());
      model.after.push_back(processor.at("sep").at(0).get<std::string>());
      return;
    }
    if (type != "TemplateProcessing")
      refuse("post-processor", type, "RobertaProcessing, BertProcessing and TemplateProcessing");
    bool behind = false;
    for (const json& item : processor.at("single")) {
      behind = behind || item.contains("Sequence");
      if (!item.contains("SpecialToken")) continue;
      const auto token = item.at("SpecialToken").at("id").get<std::string>();
      for (const json& piece : processor.at("special_tokens").at(token).at("tokens"))
        (behind ? model.after : model.before).push_back(piece.get<std::string>());
    }
  }

  /// What is done to a text before it is cut.
  std::vector<std::string (*)(const std::string&)> normalizers() const {
    std::vector<std::string (*)(const std::string&)> steps;
    for (const json& step : parts_of("normalizer", "normalizers")) {
      const std::string type = type_of(step);
      if (type == "Lowercase")
        steps.push_back(in_small_letters);
      else if (type == "NFC")
        steps.push_back(composed);
      else if (type != "none")
        refuse("normalizer", type, "Lowercase and NFC for byte pairs");
    }
    return steps;
  }

  /// "a b" or ["a", "b"]
  std::pair<std::string, std::string> merge_of(const json& merge) const {
    if (merge.is_array()) return {merge.at(0).get<std::string>(), merge.at(1).get<std::string>()};
    const auto text = merge.get<std::string>();
    const std::size_t space = text.find(' ');
    if (space == std::string::npos) fail("{}: the merge '{}' has one part only", name_, text);
    return {text.substr(0, space), text.substr(space + 1)};
  }

  Tokenizer byte_pairs(const Words& words) const {
    const json& model = file_.at("model");
    const std::vector<json> cuts = parts_of("pre_tokenizer", "pretokenizers");
    const std::string type = cuts.size() == 1 ? type_of(cuts.front()) : "Sequence";
    if (type != "ByteLevel" || !cuts.front().value("use_regex", true))
      refuse("pre-tokenizer", type, "ByteLevel with GPT-2's words");
    BytePairs::Options options;
    options.space_in_front = cuts.front().value("add_prefix_space", true);
    options.whole_words = model.value("ignore_merges", false);
    if (const json own = model.value("unk_token", json()); own.is_string())
      options.unknown = own.get<std::string>();
    std::vector<std::pair<std::string, std::string>> merges;
    for (const json& merge : model.at("merges")) merges.push_back(merge_of(merge));
    const Tokenizer tokenizer = byte_pair_tokenizer(BytePairs(words, merges, options));
    return {[cut = tokenizer.cut, steps = normalizers()](std::string_view given) {
              std::string text(given);
              for (const auto step : steps) text = step(text);
              return cut(text);
            },
            tokenizer.join};
  }

  std::string name_;
  json file_;
};

bool is_json(const std::filesystem::path& file) { return file.extension() == ".json"; }

}  // namespace

ModelTokenizer read_tokenizer(const std::filesystem::path& file) {
  if (is_json(file)) return TokenizerJson(file).tokenizer();
  return {word_piece_tokenizer(WordPieces::load(file)),
          Vocabulary::load(file).words(),
          "[UNK]",
          {"[CLS]"},
          {"[SEP]"}};
}

Words read_model_words(const std::filesystem::path& file) {
  return is_json(file) ? TokenizerJson(file).words() : Vocabulary::load(file).words();
}

}  // namespace whence::data
