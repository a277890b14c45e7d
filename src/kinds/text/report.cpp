// What the report says about texts.
#include <set>
#include <sstream>

#include "experiment/metrics.h"
#include "kinds/gce/findings.h"
#include "kinds/gce/flow_report.h"
#include "kinds/text/text.h"

namespace whence::kinds {
namespace {

std::string share(double value) { return fmt::format("{:.1f} %", 100 * value); }

std::set<std::string> words_in(const std::string& text) {
  std::istringstream stream(text);
  std::set<std::string> words;
  for (std::string word; stream >> word;) words.insert(word);
  return words;
}

report::Section sweep_section(const nlohmann::json& metrics, const std::string& last_class) {
  report::Section section{"sweeps", "What alpha does to texts", {}, {}, {}};
  section.paragraphs.emplace_back(
      "Each table begins with a test text and its reconstruction. Below, one alpha is set to a value and all "
      "else is kept. The texts are decoded greedily and "
      "read again by the classifier. **Bold** words are not in the reconstruction.");
  for (const nlohmann::json& rows : metrics.at("sweeps")) {
    report::Table table{{"", "text", fmt::format("probability of {}", last_class)}, {}, ""};
    const std::string own = rows.at(1).at("text");
    for (const nlohmann::json& row : rows) {
      const std::string text = row.at("text"), name = row.at("name");
      table.rows.push_back({name,
                            name.starts_with("alpha") ? with_new_words_marked(text, own, "**", "**") : text,
                            probability_bar(row.at("probability"))});
    }
    section.tables.push_back(std::move(table));
  }
  return section;
}

report::Section moved_section(const nlohmann::json& metrics, const std::string& last_class) {
  report::Section section{"moved", "The texts that alpha moves most", {}, {}, {}};
  section.paragraphs.emplace_back(fmt::format(
      "Test texts by how much the probability of {} changes between -2 and +2 of an alpha.", last_class));
  const bool several = metrics.at("flips").at("of").size() > 1;
  report::Table table{{"the text", "alpha = -2", "", "alpha = +2", ""}, {}, ""};
  if (several) table.header = {"the text", "which", "at -2", "", "at +2", ""};
  for (const nlohmann::json& row : metrics.at("moved")) {
    std::vector<std::string>& cells = table.rows.emplace_back();
    cells.push_back(row.at("text"));
    if (several) cells.push_back(row.at("factor"));
    for (const char* end : {"low", "high"}) {
      cells.push_back(row.at(end));
      cells.push_back(fmt::format("{:.2f}", row.at(fmt::format("probability_{}", end)).get<double>()));
    }
  }
  if (!table.rows.empty()) section.tables.push_back(std::move(table));
  return section;
}

report::Section plane_section(const experiment::Run& run, const nlohmann::json& plane) {
  return {"plane",
          "Where texts lie",
          {fmt::format(
              "Codes of {} test texts in two factors, {} and {}; colours are the classifier's answers. "
              "Where alpha holds the answer, colours change from left to right.",
              plane.at("points").size(), plane.at("x").get<std::string>(), plane.at("y").get<std::string>())},
          {},
          {run.figure("plane", "Test texts by two factors of their codes.")}};
}

/// The text with its three most important words bold, and their values.
std::string with_important_words(const std::string& text, const std::vector<double>& values) {
  constexpr std::size_t shown = 3;
  std::vector<double> order = values;
  std::sort(order.begin(), order.end(), std::greater<>());
  const double least = std::max(order[std::min(shown, order.size()) - 1], 1e-9);
  std::istringstream stream(text);
  std::string all;
  std::size_t i = 0;
  for (std::string word; stream >> word && i < values.size(); ++i) {
    all += all.empty() ? "" : " ";
    all += values[i] >= least ? fmt::format("**{}** ({:+.1f})", word, values[i]) : word;
  }
  return all;
}

report::Section words_section(const nlohmann::json& metrics, const std::vector<std::string>& classes) {
  report::Section section{"words", "Which words speak for the answer", {}, {}, {}};
  section.paragraphs.emplace_back(
      "Three usual methods on the same classifier. **Bold** words add most to the logit of its answer: by "
      "integrated gradients from unknown words, by SmoothGrad times the word's vector, "
      "and by the fall of the logit when the word becomes unknown (occlusion). They point at words that are "
      "there; alpha changes words.");
  report::Table table{{"answer", "integrated gradients", "SmoothGrad", "occlusion"}, {}, ""};
  for (const nlohmann::json& map : metrics.at("words")) {
    const std::string text = map.at("text");
    table.rows.push_back(
        {classes[map.at("answer").get<std::size_t>()],
         with_important_words(text, map.at("integrated_gradients").get<std::vector<double>>()),
         with_important_words(text, map.at("smooth_gradients").get<std::vector<double>>()),
         with_important_words(text, map.at("occlusion").get<std::vector<double>>())});
  }
  if (!table.rows.empty()) section.tables.push_back(std::move(table));
  return section;
}

report::Section quality_section(const experiment::Run& run) {
  report::Section section{"text-measures", "How good the decoded texts are", {}, {}, {}};
  report::Table table{{"", "this run"}, {}, "On test texts; intervals are 95 % over texts or draws."};
  const nlohmann::json& own = run.metrics.at("text");
  const auto with_interval = [](const nlohmann::json& value, double factor, int digits) {
    return fmt::format("{:.{}f} ± {:.{}f}", factor * value.at("mean").get<double>(), digits,
                       factor * experiment::kInterval * value.at("se").get<double>(), digits);
  };
  const nlohmann::json &kept = own.at("words_kept"), &fluency = own.at("fluency"), &bound = own.at("bound");
  const nlohmann::json& flips = own.at("flips");
  const bool several = flips.at("of").size() > 1;
  table.rows = {{several ? "flips from -2 to +2 of some alpha" : "flips from alpha = -2 to +2",
                 with_interval(flips, 100, 1) + " %"}};
  if (several)
    for (const nlohmann::json& each : flips.at("of"))
      table.rows.push_back({fmt::format("flips from -2 to +2 of {}", each.at("name").get<std::string>()),
                            with_interval(each, 100, 1) + " %"});
  const std::vector<std::vector<std::string>> rest = {
      {"naive Bayes agrees with the swept class", with_interval(own.at("judge_agrees"), 100, 1) + " %"},
      {"naive Bayes on the test texts themselves", share(own.at("judge_accuracy"))},
      {"words kept at ±1 (F1 with the own reconstruction)", with_interval(kept.at("at_1"), 1, 3)},
      {"words kept at ±2", with_interval(kept.at("at_2"), 1, 3)},
      {"words of the text in its reconstruction", with_interval(kept.at("reconstruction"), 1, 3)},
      {"the same with another text", with_interval(kept.at("random"), 1, 3)},
      {"perplexity of swept texts, of real ones",
       fmt::format("{:.0f}, {:.0f}", fluency.at("perplexity").get<double>(),
                   fluency.at("real_perplexity").get<double>())},
      {"texts that repeat themselves, real ones",
       share(fluency.at("repeats")) + ", " + share(fluency.at("real_repeats"))},
      {"copies of training texts", share(fluency.at("copies"))},
      {"different pairs of words, of real texts",
       fmt::format("{:.3f}, {:.3f}", fluency.at("distinct_pairs").get<double>(),
                   fluency.at("real_distinct_pairs").get<double>())},
      {"active latents",
       fmt::format("{} of {}", bound.at("active_units").get<int>(), bound.at("latents").get<int>())},
      {"KL, -log p of a word (nats)", fmt::format("{:.1f}, {:.2f}", bound.at("kl").at("mean").get<double>(),
                                                  bound.at("nll_per_word").get<double>())}};
  table.rows.insert(table.rows.end(), rest.begin(), rest.end());
  section.tables.push_back(std::move(table));
  return section;
}

std::string supervision(const experiment::Run& run) {
  const double pull = run.session.get<TextExplanationOptions>().training.pull_weight;
  return pull > 0 ? "Alpha was supervised: a term of the training pulls the alpha of a text to the explained "
                    "classifier's answer to it."
                  : "Alpha was not supervised by the classifier's answers to real texts: only the causal "
                    "term shaped it.";
}

/// Unbiased estimates of nothing are as often below 0.
double flow_of(const nlohmann::json& measured) { return std::max(0.0, measured.at("nats").get<double>()); }

}  // namespace

std::string with_new_words_marked(const std::string& text, const std::string& before, std::string_view open,
                                  std::string_view close) {
  const std::set<std::string> known = words_in(before);
  std::istringstream stream(text);
  std::vector<std::string> shown;
  for (std::string word; stream >> word;)
    shown.push_back(known.contains(word) ? word : fmt::format("{}{}{}", open, word, close));
  return fmt::format("{}", fmt::join(shown, " "));
}

std::string probability_bar(double probability) {
  std::string text;
  for (int i = 0; i < 10; ++i) text += probability * 10 > i + 0.5 ? "█" : "░";
  return fmt::format("{} {:.2f}", text, probability);
}

std::string text_answer(const nlohmann::json& metrics) {
  const nlohmann::json &flow = metrics.at("flow"), &kept = metrics.at("words_kept");
  const double nats = flow_of(flow.at("alpha")), most = flow.at("most");
  const double flips = metrics.at("flips").at("mean");
  const bool several = metrics.at("flips").contains("of") && metrics.at("flips").at("of").size() > 1;
  const bool moves = nats > 0.1 * most && flips > 0.1;
  const double reconstruction = kept.at("reconstruction").at("mean"), random = kept.at("random").at("mean");
  return fmt::format(
      "**Alpha {} this classifier**: it carries {:.3f} ± {:.3f} of the {:.3f} nats that are possible, all "
      "betas together {:.3f}; {} of the test texts change their answer between {}.{}",
      moves ? "moves" : "does not move", nats,
      experiment::kInterval * flow.at("alpha").at("se").get<double>(), most, flow_of(flow.at("beta")),
      share(flips), several ? "-2 and +2 of an alpha" : "alpha = -2 and +2",
      reconstruction > 2 * random
          ? ""
          : fmt::format(" **The generator does not know its texts**: a reconstruction shares {:.2f} of its "
                        "words with its text, and {:.2f} with any other.",
                        reconstruction, random));
}

void report_text(const experiment::Run& run, report::Page& page) {
  const nlohmann::json& own = run.metrics.at("text");
  const nlohmann::json& flow = own.at("flow");
  const double nats = flow_of(flow.at("alpha")), most = flow.at("most");
  const double interval = experiment::kInterval * flow.at("alpha").at("se").get<double>();
  if (page.answer.empty()) page.answer = text_answer(own) + " " + supervision(run);
  const nlohmann::json& leak = flow.at("beta_share");  // no number where nothing flows
  if (page.headlines.empty())
    page.headlines = {
        {fmt::format("{:.3f} nats", nats), "I(alpha; Y) of decoded texts",
         fmt::format("of {:.3f}, ± {:.3f}", most, interval)},
        {share(own.at("flips").at("mean")), "flips from -2 to +2", "of test texts"},
        {leak.is_number() ? share(leak) : "no share", "of the flow in the betas", ""},
        {share(own.at("classifier").at("test_accuracy")), "accuracy of the classifier", "on test texts"}};
  const std::vector<std::string> classes = run.metrics.at("data").at("classes");
  page.sections.push_back(sweep_section(own, classes.back()));
  page.sections.push_back(moved_section(own, classes.back()));
  page.sections.push_back(flow_section(run, flow, classes.size()));
  page.sections.push_back(ablation_section(run, own.at("ablation"), text_factors(run.session), "test texts"));
  page.sections.push_back(plane_section(run, own.at("plane")));
  page.sections.push_back(quality_section(run));
  page.sections.push_back(words_section(own, classes));
  page.sections.push_back(trust_section(own.at("trust"), "text"));
}

}  // namespace whence::kinds
