#include "cli/texts.h"

#include <fmt/ranges.h>
#include <unistd.h>

#include <iostream>

#include "cli/setup.h"
#include "kinds/gce/figures.h"
#include "kinds/kinds.h"
#include "kinds/text/ask.h"
#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/explain/flow/sweep.h"
#include "whence/explain/text/measures.h"
#include "whence/platform/interrupt.h"

namespace whence::cli {
namespace {

using kinds::AskedText, kinds::DecodedText;

/// A run about texts, open.
class TextRun {
 public:
  explicit TextRun(const TextQuestion& question)
      : session_(experiment::open_session(kinds::kinds(), question.run)),
        models_(loaded(session_, question.threads)),
        class_names_(session_.texts().train.class_names),
        asked_(question.texts.empty() ? kinds::ask_test_texts(models_, question.count, session_.seed())
                                      : typed(question.texts)) {}

  experiment::Session& session() { return session_; }
  const kinds::TextModels& models() const { return models_; }
  const std::vector<AskedText>& asked() const { return asked_; }
  const std::string& class_of(const at::Tensor& answer) const {
    return class_names_[static_cast<std::size_t>(answer.argmax().item<std::int64_t>())];
  }
  std::vector<std::string> factors() const {
    return flow::factor_names(models_.vae.shape().causal, models_.vae.shape().latents());
  }
  std::string text_of(const data::Words& words) const { return models_.tokenizer.join(words); }
  nlohmann::json to_json(const data::Words& words, const at::Tensor& answer) const {
    std::vector<double> probabilities;
    for (std::int64_t i = 0; i < answer.size(0); ++i) probabilities.push_back(answer[i].item<double>());
    return {{"text", text_of(words)}, {"class", class_of(answer)}, {"probabilities", probabilities}};
  }
  /// "positive ████████░░ 0.83": of two classes the second, of more the most probable.
  std::string answer_line(const at::Tensor& answer) const {
    const std::int64_t shown = answer.size(0) == 2 ? 1 : answer.argmax().item<std::int64_t>();
    return fmt::format("{} {}", class_names_[static_cast<std::size_t>(shown)],
                       kinds::probability_bar(answer[shown].item<double>()));
  }

 private:
  /// With the threads that were asked for (0: those of the run).
  static kinds::TextModels loaded(experiment::Session& session, std::int64_t threads) {
    set_up(threads > 0 ? threads : session.get<experiment::RunOptions>().threads);
    return kinds::text_models(session);
  }
  /// What the generator does not read of a text goes to stderr.
  std::vector<AskedText> typed(const std::vector<std::string>& texts) const {
    std::vector<AskedText> all;
    for (const std::string& text : texts) {
      AskedText asked = kinds::ask(models_, text);
      if (asked.left_out > 0)
        std::cerr << fmt::format(
            "whence: note: the generator reads the first {} words; the classifier reads all {}\n",
            models_.longest - 1, asked.words.size());
      if (!asked.unknown.empty())
        std::cerr << fmt::format("whence: note: words that the generator does not know: {}\n",
                                 fmt::join(asked.unknown, ", "));
      all.push_back(std::move(asked));
    }
    return all;
  }

  experiment::Session session_;
  kinds::TextModels models_;
  std::vector<std::string> class_names_;
  std::vector<AskedText> asked_;
};

/// Words that `before` lacks are bold in a terminal and between asterisks elsewhere.
std::string marked(const TextRun& run, const data::Words& words, const data::Words& before) {
  static const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  return kinds::with_new_words_marked(run.text_of(words), run.text_of(before), terminal ? "\033[1m" : "*",
                                      terminal ? "\033[0m" : "*");
}

void print_line(const TextRun& run, const std::string& name, const at::Tensor& answer,
                const std::string& text) {
  std::cout << fmt::format("{:<15} {}  {}\n", name, run.answer_line(answer), text);
}

/// The text and its reconstruction.
DecodedText print_begin(const TextRun& run, const AskedText& asked, bool silent) {
  DecodedText own = kinds::reconstruction_of(run.models(), asked.code);
  if (silent) return own;
  print_line(run, "the text", asked.answer, run.text_of(asked.words));
  print_line(run, "reconstruction", own.answer, marked(run, own.words, asked.words));
  return own;
}

std::vector<std::size_t> chosen_factors(const TextRun& run, const std::vector<std::string>& wanted) {
  const std::vector<std::string> all = run.factors();
  const std::vector<std::string_view> names(all.begin(), all.end());
  std::vector<std::size_t> chosen;
  for (const std::string& name : wanted) {
    const auto found = std::find(all.begin(), all.end(), name);
    if (found == all.end())
      fail_usage("there is no factor '{}'{}; they are {} to {}", name, did_you_mean(name, names), all.front(),
                 all.back());
    chosen.push_back(static_cast<std::size_t>(found - all.begin()));
  }
  if (chosen.empty())
    for (std::int64_t i = 0; i < run.models().vae.shape().causal; ++i)
      chosen.push_back(static_cast<std::size_t>(i));
  return chosen;
}

}  // namespace

bool is_about_texts(const std::filesystem::path& run) {
  if (run.empty() || !std::filesystem::is_directory(run)) return false;
  return experiment::is_text(experiment::open_session(kinds::kinds(), run).get<experiment::DataOptions>());
}

void sweep_texts(const TextQuestion& question, const std::vector<std::string>& factors, double range,
                 std::int64_t steps) {
  const TextRun run(question);
  const std::vector<std::size_t> chosen = chosen_factors(run, factors);
  const std::vector<double> values = flow::even_steps(-range, range, steps);
  nlohmann::json all = nlohmann::json::array();
  for (const AskedText& asked : run.asked()) {
    throw_if_interrupted();
    const DecodedText own = print_begin(run, asked, question.json);
    nlohmann::json facts = run.to_json(asked.words, asked.answer);
    facts["reconstruction"] = run.to_json(own.words, own.answer);
    for (const std::size_t factor : chosen) {
      const std::string name = run.factors()[factor];
      for (const DecodedText& text :
           kinds::sweep_text(run.models(), asked.code, static_cast<std::int64_t>(factor), values)) {
        nlohmann::json entry = run.to_json(text.words, text.answer);
        entry["added"] = text.value;
        facts[name].push_back(std::move(entry));
        if (!question.json)
          print_line(run, fmt::format("{} {:+.2f}", name, text.value), text.answer,
                     marked(run, text.words, own.words));
      }
    }
    if (!question.json) std::cout << "\n";
    all.push_back(std::move(facts));
  }
  if (question.json) std::cout << all.dump(2) << "\n";
}

void show_text_counterfactuals(const TextQuestion& question) {
  const TextRun run(question);
  nlohmann::json all = nlohmann::json::array();
  double found = 0, kept = 0;
  for (const AskedText& asked : run.asked()) {
    throw_if_interrupted();
    const DecodedText own = print_begin(run, asked, question.json);
    const auto change = kinds::counterfactual_of(run.models(), asked.code);
    nlohmann::json facts = run.to_json(asked.words, asked.answer);
    facts["reconstruction"] = run.to_json(own.words, own.answer);
    facts["alpha"] = asked.code[0][0].item<double>();
    facts["found"] = change.has_value();
    if (change) {
      facts["counterfactual"] = run.to_json(change->words, change->answer);
      facts["counterfactual"]["alpha"] = change->value;
      ++found;
      const at::Tensor ours = to_numbers(run.models().corpus.vocabulary, {own.words, change->words});
      const std::vector<text::Numbers> rows = text::rows_of(ours);
      kept += text::words_kept(rows[0], rows[1]);
      if (!question.json)
        print_line(run, fmt::format("alpha = {:+.2f}", change->value), change->answer,
                   marked(run, change->words, own.words));
    } else if (!question.json) {
      std::cout << "no alpha between -3 and +3 changes the answer\n";
    }
    if (!question.json) std::cout << "\n";
    all.push_back(std::move(facts));
  }
  const auto count = static_cast<double>(run.asked().size());
  if (question.json) {
    std::cout << all.dump(2) << "\n";
  } else if (run.asked().size() > 1) {
    std::cout << fmt::format(
        "found for {:.0f} of {:.0f} texts; words kept (F1 with the reconstruction) {:.2f}\n", found, count,
        found > 0 ? kept / found : 0.0);
  }
}

void ablate_run_of_texts(const TextQuestion& question) {
  TextQuestion nothing = question;
  nothing.count = 1;
  TextRun run(nothing);
  const flow::Ablation ablation = kinds::ablate_texts(run.models(), question.count, run.session().seed());
  const std::vector<std::string> factors = run.factors();
  if (question.json) {
    std::cout << to_json(ablation, factors).dump(2) << "\n";
    return;
  }
  const auto row = [](const std::string& name, double accuracy) {
    std::cout << fmt::format("{:<28} {:6.2f} %\n", name, 100 * accuracy);
  };
  row("original", ablation.original);
  row("re-encoded", ablation.reencoded);
  for (std::size_t i = 0; i < factors.size(); ++i) row(factors[i] + " replaced", ablation.replaced[i]);
}

void trust_run_of_texts(const TextQuestion& question, std::int64_t classifiers) {
  TextQuestion nothing = question;
  nothing.count = 1;
  TextRun run(nothing);
  const nlohmann::json trust =
      kinds::check_text_trust(run.session(), run.models(), classifiers, show_progress());
  if (question.json) {
    std::cout << trust.dump(2) << "\n";
    return;
  }
  const auto share = [](const nlohmann::json& value) {
    return fmt::format("{:6.2f} % +- {:.2f}", 100 * value.at("value").get<double>(),
                       100 * value.at("se").get<double>());
  };
  const auto line = [](const std::string& name, const std::string& value) {
    std::cout << fmt::format("{:<52} {}\n", name, value);
  };
  line("share of the flow in the betas", share(trust.at("leak")));
  line("reconstructions that keep their text's answer", share(trust.at("reencoding")));
  const nlohmann::json& random = trust.at("randomization");
  line("flow of alpha, explained classifier", fmt::format("{:.3f} nats", random.at("alpha").get<double>()));
  for (const nlohmann::json& nats : random.at("randomized"))
    line("flow of alpha, a randomized classifier", fmt::format("{:.3f} nats", nats.get<double>()));
}

}  // namespace whence::cli
