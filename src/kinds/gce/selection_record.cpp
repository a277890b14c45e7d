#include <algorithm>
#include <cmath>
#include <map>
#include <ranges>

#include "experiment/metrics.h"
#include "kinds/gce/selection.h"
#include "report/figures.h"

namespace whence::kinds {
namespace {

bool is_chosen(const Selection& selection, const gce::Setting& setting) {
  return selection.decision.chosen == setting;
}

/// Settings with a causal term, trained in full.
std::vector<const gce::Trial*> causal_trials(const Selection& selection) {
  std::vector<const gce::Trial*> trials;
  for (const SelectionTrial& each : selection.trials) {
    const gce::Setting& setting = each.trial.setting;
    if (setting.causal > 0 && !setting.pilot) trials.push_back(&each.trial);
  }
  return trials;
}

/// Lines by name, in a panel, with the chosen setting as a ring.
class PanelLines {
 public:
  void add(const std::string& name, double x, double y, double se, bool chosen) {
    report::Series& series = lines_[name];
    series.name = name;
    series.x.push_back(x);
    series.y.push_back(y);
    series.errors.push_back(experiment::kInterval * se);
    if (chosen) chosen_ = {"chosen", {x}, {y}, /*marks=*/true};
  }

  report::Panel panel(const std::string& value_axis) const {
    report::Panel panel{value_axis, {}};
    for (report::Series series : lines_ | std::views::values) {
      const bool known =
          std::any_of(series.errors.begin(), series.errors.end(), [](double e) { return e > 0; });
      if (!known) series.errors.clear();
      panel.series.push_back(std::move(series));
    }
    if (!chosen_.x.empty()) panel.series.push_back(chosen_);
    return panel;
  }

 private:
  std::map<std::string, report::Series> lines_;
  report::Series chosen_;
};

/// Of the difference of D from the chosen setting's: what the choice is about. 0 where nothing was chosen.
double bound_error(const gce::Trial& trial, const gce::Trial* chosen) {
  return chosen == nullptr || chosen == &trial ? 0 : gce::bound_change_se(trial, *chosen);
}

std::vector<double> distinct(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

/// C above SSE + KL, against `x_of` a trial, one line for each `name_of` it.
template <class X, class Name>
report::LineChart chart_of(const Selection& selection, const std::string& axis, X x_of, Name name_of) {
  std::vector<const gce::Trial*> trials = causal_trials(selection);
  std::sort(trials.begin(), trials.end(),
            [&](const gce::Trial* a, const gce::Trial* b) { return x_of(*a) < x_of(*b); });
  const auto found = std::find_if(trials.begin(), trials.end(), [&](const gce::Trial* trial) {
    return is_chosen(selection, trial->setting);
  });
  const gce::Trial* chosen = found == trials.end() ? nullptr : *found;
  PanelLines effects, bounds;
  std::vector<double> ticks;
  for (const gce::Trial* trial : trials) {
    const double x = x_of(*trial);
    effects.add(name_of(*trial), x, trial->effect, trial->effect_se, trial == chosen);
    bounds.add(name_of(*trial), x, trial->bound(), bound_error(*trial, chosen), trial == chosen);
    ticks.push_back(x);
  }
  report::Panel bound = bounds.panel("SSE + KL");
  bound.reference = selection.decision.limit.value_or(0);
  bound.reference_name = "the most that the rule allows";
  return {.title = "",
          .horizontal_axis = axis,
          .panels = {effects.panel("C (nats)"), bound},
          .points = true,
          .ticks = distinct(ticks)};
}

report::LineChart latents_chart(const Selection& selection) {
  std::map<std::int64_t, const gce::Trial*> by_latents;
  for (const SelectionTrial& each : selection.trials) {
    const gce::Setting& setting = each.trial.setting;
    if (setting.causal == 0 && !setting.reference) by_latents[setting.latents()] = &each.trial;
  }
  PanelLines bound, parts;
  std::vector<double> ticks;
  const std::optional<gce::Setting>& setting = selection.decision.chosen;
  const auto found = setting ? by_latents.find(setting->latents()) : by_latents.end();
  const gce::Trial* chosen = found == by_latents.end() ? nullptr : found->second;
  for (const auto& [latents, trial] : by_latents) {
    const auto x = static_cast<double>(latents);
    bound.add("SSE + KL", x, trial->bound(), bound_error(*trial, chosen), trial == chosen);
    parts.add("SSE", x, trial->sse, 0, false);
    parts.add("KL", x, trial->kl, 0, false);
    ticks.push_back(x);
  }
  return {.title = fmt::format("Fidelity of the autoencoder alone, on {} images", selection.images),
          .horizontal_axis = "number of latents, K + L",
          .panels = {bound.panel("SSE + KL"), parts.panel("SSE and KL")},
          .points = true,
          .ticks = ticks};
}

}  // namespace

nlohmann::json to_json(const Selection& selection, gce::SelectionRule rule) {
  nlohmann::json trials = nlohmann::json::array();
  for (const SelectionTrial& each : selection.trials) {
    nlohmann::json entry = to_json(each.trial, each.seconds);
    entry["folder"] = each.folder;
    trials.push_back(std::move(entry));
  }
  const std::optional<gce::Setting>& chosen = selection.decision.chosen;
  const std::optional<double>& limit = selection.decision.limit;
  return {{"rule", gce::name_of(rule)},
          {"chosen", chosen ? to_json(*chosen) : nlohmann::json()},
          {"limit", limit ? nlohmann::json(*limit) : nlohmann::json()},
          {"images", selection.images},
          {"complete", selection.complete},
          {"reasons", selection.decision.reasons},
          {"trials", std::move(trials)},
          {"seconds", selection.seconds}};
}

void draw_selection(const Selection& selection, const std::filesystem::path& folder) {
  const std::filesystem::path figures = folder / "figures";
  for (const char* earlier : {"latents", "lambda", "causal"})
    for (const char* ending : {".png", ".svg"})
      std::filesystem::remove(figures / (std::string(earlier) + ending));
  if (!selection.trials.empty()) report::draw(latents_chart(selection), figures / "latents");
  if (causal_trials(selection).empty()) return;
  report::LineChart by_lambda = chart_of(
      selection, "lambda", [](const gce::Trial& t) { return t.setting.lambda; },
      [](const gce::Trial& t) { return fmt::format("K = {}", t.setting.causal); });
  by_lambda.logarithmic = true;
  by_lambda.title = fmt::format("Causal effect and fidelity by lambda, on {} images", selection.images);
  report::draw(by_lambda, figures / "lambda");
  report::LineChart by_causal = chart_of(
      selection, "number of causal factors, K",
      [](const gce::Trial& t) { return static_cast<double>(t.setting.causal); },
      [](const gce::Trial& t) { return fmt::format("lambda = {:g}", t.setting.lambda); });
  by_causal.title = fmt::format("Causal effect and fidelity by K, on {} images", selection.images);
  report::draw(by_causal, figures / "causal");
}

}  // namespace whence::kinds
