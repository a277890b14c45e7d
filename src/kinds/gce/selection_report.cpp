#include <array>

#include "experiment/display.h"
#include "kinds/gce/selection.h"
#include "report/page.h"

namespace whence::kinds {
namespace {

namespace fs = std::filesystem;
using report::Headline;

const std::vector<std::string>& heading() {
  static const std::vector<std::string> columns = {"K",   "L",  "lambda",   "C (nats)",
                                                   "SSE", "KL", "SSE + KL", ""};
  return columns;
}

std::string with_error(double value, double se, int digits) {
  return fmt::format("{0:.{2}f} +- {1:.{2}f}", value, se, digits);
}

std::string remark_of(const Selection& selection, const gce::Setting& setting) {
  if (selection.decision.chosen == setting) return "chosen";
  return setting.pilot ? "pilot" : setting.reference ? "reference" : "";
}

std::vector<std::string> row_of(const Selection& selection, const gce::Trial& trial) {
  const gce::Setting& setting = trial.setting;
  const bool causal = setting.causal > 0;
  return {std::to_string(setting.causal),
          std::to_string(setting.noncausal),
          causal ? fmt::format("{:g}", setting.lambda) : "-",
          causal ? with_error(trial.effect, trial.effect_se, 3) : "-",
          fmt::format("{:.2f}", trial.sse),
          fmt::format("{:.2f}", trial.kl),
          with_error(trial.bound(), trial.bound_se, 2),
          remark_of(selection, setting)};
}

/// Of the chosen setting; nullptr where nothing was chosen.
const gce::Trial* chosen_trial(const Selection& selection) {
  for (const SelectionTrial& each : selection.trials)
    if (selection.decision.chosen == each.trial.setting) return &each.trial;
  return nullptr;
}

/// Beyond its error; the 0.01 nats stand for what an estimate may be off by.
bool moves_classifier(const gce::Trial& trial) { return trial.effect > 0.01 + 2 * trial.effect_se; }

std::string answer_of(const Selection& selection, const gce::Trial* chosen) {
  const std::string searched =
      selection.complete ? ""
                         : " The budget ended the search; continue with the same command and a larger one.";
  if (chosen == nullptr)
    return fmt::format("**No setting could be chosen**{}.{}",
                       selection.decision.reasons.empty() ? "" : ": " + selection.decision.reasons.back(),
                       searched);
  const std::string measured = fmt::format(
      "C = {} nats, SSE + KL = {} on the {} images", with_error(chosen->effect, chosen->effect_se, 3),
      with_error(chosen->bound(), chosen->bound_se, 2), selection.images);
  const std::string setting = gce::describe(chosen->setting);
  if (!moves_classifier(*chosen))
    return fmt::format(
        "**{} was chosen, and does not move the classifier**: {}. Train longer "
        "with --steps.{}",
        setting, measured, searched);
  return fmt::format("**{} was chosen**: {}. recipe.toml in this folder is the recipe with it.{}", setting,
                     measured, searched);
}

std::vector<Headline> headlines_of(const Selection& selection, const gce::Trial* chosen) {
  std::vector<Headline> lines;
  if (chosen != nullptr) {
    lines.push_back({fmt::format("K = {}, L = {}", chosen->setting.causal, chosen->setting.noncausal),
                     fmt::format("lambda = {:g}", chosen->setting.lambda), "chosen"});
    lines.push_back({fmt::format("{:.3f} nats", chosen->effect), "I(alpha; Y), the papers' C",
                     fmt::format("+- {:.3f}", chosen->effect_se),
                     moves_classifier(*chosen) ? Headline::Mood::good : Headline::Mood::bad});
    lines.push_back({fmt::format("{:.2f}", chosen->bound()), "SSE + KL",
                     fmt::format("at most {:.2f} by the rule", selection.decision.limit.value_or(0))});
  }
  lines.push_back({experiment::clock_time(selection.seconds), "time of all settings",
                   fmt::format("{} settings", selection.trials.size())});
  return lines;
}

}  // namespace

std::string table_of(const Selection& selection) {
  constexpr std::array widths = {3, 3, 9, 16, 8, 7, 16};
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t i = 0; i < widths.size(); ++i)
      text += fmt::format("{}{:>{}}", i == 0 ? "" : " ", cells[i], widths[i]);
    return text + (cells.back().empty() ? "" : "  " + cells.back()) + "\n";
  };
  std::string text = line(heading());
  for (const SelectionTrial& each : selection.trials) text += line(row_of(selection, each.trial));
  return text;
}

void report_selection(const Selection& selection, const std::string& title, gce::SelectionRule rule,
                      const fs::path& folder) {
  const gce::Trial* chosen = chosen_trial(selection);
  report::Page page;
  page.title = "K, L and lambda: " + title;
  page.subtitle = fmt::format("whence select, rule {}", gce::name_of(rule));
  page.answer = answer_of(selection, chosen);
  page.headlines = headlines_of(selection, chosen);
  const auto figure = [&](const char* name, const char* caption) {
    std::vector<report::FigureRef> figures;
    if (fs::exists(folder / "figures" / (std::string(name) + ".svg")))
      figures.push_back({folder / "figures" / name, caption});
    return figures;
  };
  page.lead = figure("lambda",
                     "C and SSE + KL by lambda, with 95 % intervals; those of SSE + KL are of its difference "
                     "from the chosen setting's, image by image.");
  report::Table settings{heading(),
                         {},
                         "In the order of measurement. K = 0 is the autoencoder alone. A pilot is the first "
                         "part of a training; a reference is the autoencoder after as many more steps."};
  for (const SelectionTrial& each : selection.trials) settings.rows.push_back(row_of(selection, each.trial));
  page.sections = {
      {"reasons",
       "How it was chosen",
       selection.decision.reasons,
       {},
       figure("causal", "C and SSE + KL by K.")},
      {"latents", "How many latents", {}, {}, figure("latents", "SSE + KL of the autoencoder alone.")},
      {"settings", "All settings", {}, {settings}, {}}};
  report::write_page(page, folder / "report.html");
}

}  // namespace whence::kinds
