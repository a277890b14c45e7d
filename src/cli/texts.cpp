#include "cli/texts.h"

#include <fmt/ranges.h>
#include <unistd.h>

#include <iostream>

#include "cli/models.h"
#include "cli/setup.h"
#include "kinds/gce/figures.h"
#include "kinds/kinds.h"
#include "kinds/text/ask.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/core/names.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/explain/flow/sweep.h"
#include "whence/explain/text/measures.h"
#include "whence/platform/interrupt.h"

namespace whence::cli {
namespace {

using kinds::AskedText, kinds::ChangedText, kinds::DecodedText;

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
  const std::vector<std::string>& class_names() const { return class_names_; }
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

std::vector<double> alphas_of(const TextRun& run, const at::Tensor& code) {
  std::vector<double> alphas;
  for (std::int64_t k = 0; k < run.models().vae.shape().causal; ++k)
    alphas.push_back(code[0][k].item<double>());
  return alphas;
}

/// "alpha = +0.35", or "alpha_1 = +0.35, alpha_2 = -1.20"
std::string alphas_line(const std::vector<double>& alphas) {
  if (alphas.size() == 1) return fmt::format("alpha = {:+.2f}", alphas[0]);
  std::vector<std::string> parts;
  for (std::size_t k = 0; k < alphas.size(); ++k)
    parts.push_back(fmt::format("alpha_{} = {:+.2f}", k + 1, alphas[k]));
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// "no alpha between -3 and +3 changes the answer"
std::string nothing_found(std::int64_t causal, const text::ChangeSearch& search, const std::string& to) {
  const std::string where = causal == 1 ? fmt::format("no alpha between -{0:g} and +{0:g}", search.radius)
                                        : fmt::format("no move of the alphas up to {:g}", search.radius);
  const std::string what = to.empty() ? "changes the answer" : "makes it " + to;
  const std::string sure =
      search.probability > 0 ? fmt::format(" with a probability of {:g}", search.probability) : "";
  return fmt::format("{} {}{}\n", where, what, sure);
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

void refuse_for_texts(const CLI::App& command, const ModelArguments& models,
                      const std::vector<std::string>& options) {
  check_choice(models);
  for (const std::string& option : options)
    if (command.count(option) > 0)
      fail_usage("{} is for images; leave it out, because {} is about texts", option, models.run);
}

void refuse_beside_text(const CLI::App& command, const std::string& option) {
  if (command.count("--text") > 0 && command.count(option) > 0)
    fail_usage("{} draws test texts, and --text gives texts of your own; leave one of them out", option);
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

void show_text_counterfactuals(const TextQuestion& question, text::ChangeSearch search,
                               const std::string& to) {
  const TextRun run(question);
  if (!to.empty()) search.to = class_index(to, run.class_names());
  nlohmann::json all = nlohmann::json::array();
  double count = 0, found = 0, kept = 0;
  for (const AskedText& asked : run.asked()) {
    throw_if_interrupted();
    const DecodedText own = print_begin(run, asked, question.json);
    const bool already = search.to && own.answer.argmax().item<std::int64_t>() == *search.to;
    std::optional<ChangedText> change;
    if (!already) change = kinds::counterfactual_of(run.models(), asked.code, search);
    nlohmann::json facts = run.to_json(asked.words, asked.answer);
    facts["reconstruction"] = run.to_json(own.words, own.answer);
    facts["alpha"] = alphas_of(run, asked.code);
    facts["found"] = change.has_value();
    if (search.to) facts["already"] = already;
    count += already ? 0 : 1;
    if (change) {
      facts["counterfactual"] = run.to_json(change->words, change->answer);
      facts["counterfactual"]["alpha"] = change->alpha;
      facts["distance"] = change->distance;
      ++found;
      const at::Tensor ours = to_numbers(run.models().corpus.vocabulary, {own.words, change->words});
      const std::vector<text::Numbers> rows = text::rows_of(ours);
      kept += text::words_kept(rows[0], rows[1]);
      if (!question.json)
        print_line(run, alphas_line(change->alpha), change->answer, marked(run, change->words, own.words));
    } else if (!question.json) {
      std::cout << (already ? fmt::format("the reconstruction is {} already\n", to)
                            : nothing_found(run.models().vae.shape().causal, search, to));
    }
    if (!question.json) std::cout << "\n";
    all.push_back(std::move(facts));
  }
  if (question.json) {
    std::cout << all.dump(2) << "\n";
  } else if (run.asked().size() > 1) {
    std::cout << fmt::format(
        "found for {:.0f} of {:.0f} texts{}; words kept (F1 with the reconstruction) {:.2f}\n", found, count,
        search.to ? fmt::format(" that were not {} already", to) : "", found > 0 ? kept / found : 0.0);
  }
}

void ablate_run_of_texts(const TextQuestion& question, const std::filesystem::path& out) {
  TextQuestion nothing = question;
  nothing.count = 1;
  TextRun run(nothing);
  const flow::Ablation ablation = kinds::ablate_texts(run.models(), question.count, run.session().seed());
  const std::vector<std::string> factors = run.factors();
  const nlohmann::json result = to_json(ablation, factors);
  if (!out.empty()) kinds::draw_ablation(result, factors, run.models().vae.shape().causal, out / "ablation");
  if (question.json) {
    std::cout << result.dump(2) << "\n";
    return;
  }
  const auto row = [](const std::string& name, double accuracy) {
    std::cout << fmt::format("{:<28} {:6.2f} %\n", name, 100 * accuracy);
  };
  row("original", ablation.original);
  row("re-encoded", ablation.reencoded);
  for (std::size_t i = 0; i < factors.size(); ++i) row(factors[i] + " replaced", ablation.replaced[i]);
}

nlohmann::json trust_of_texts(const TextQuestion& question, const kinds::TrustOptions& options,
                              std::optional<std::pair<std::int64_t, std::int64_t>> samples) {
  constexpr std::int64_t few = 100;
  TextQuestion nothing = question;
  nothing.count = 1;
  TextRun run(nothing);
  const std::filesystem::path metrics = question.run / "metrics.json";
  kinds::TextFlows flows;
  const nlohmann::json::json_pointer measured("/text/flow");
  if (const nlohmann::json all =
          !samples && std::filesystem::exists(metrics) ? read_json(metrics) : nlohmann::json();
      all.contains(measured)) {
    flows = {all.at(measured).at("alpha").get<flow::FlowValue>(),
             all.at(measured).at("beta").get<flow::FlowValue>()};
  } else {
    const auto [outer, inner] = samples.value_or(std::pair{few, few});
    const flow::FlowReport report = kinds::text_flow(run.models(), *run.models().classifier, outer, inner,
                                                     run.session().seed(), show_progress());
    flows = {report.alpha, report.beta};
  }
  return kinds::check_text_trust(run.session(), run.models(), flows, options, show_progress());
}

}  // namespace whence::cli
