#include <algorithm>
#include <cmath>
#include <map>

#include "whence/report/figures.h"
#include "whence/run/selection.h"

namespace whence::run {
namespace {

bool is_chosen(const Selection& selection, const gce::Setting& setting) {
  return selection.decision.chosen == setting;
}

nlohmann::json setting_json(const gce::Setting& setting) {
  return {{"causal", setting.causal}, {"noncausal", setting.noncausal}, {"lambda", setting.lambda}};
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

/// C above SSE + KL, against `x_of` a trial, one line for each `name_of` it.
template <class X, class Name>
report::LineChart chart_of(std::vector<const gce::Trial*> trials, const std::string& axis, X x_of,
                           Name name_of) {
  std::sort(trials.begin(), trials.end(),
            [&](const gce::Trial* a, const gce::Trial* b) { return x_of(*a) < x_of(*b); });
  std::map<std::string, report::Series> effects, bounds;
  for (const gce::Trial* trial : trials) {
    const std::string name = name_of(*trial);
    const auto add = [&](std::map<std::string, report::Series>& all, double y) {
      report::Series& series = all[name];
      series.name = name;
      series.x.push_back(x_of(*trial));
      series.y.push_back(y);
    };
    add(effects, trial->effect);
    add(bounds, trial->bound());
  }
  report::LineChart chart{.title = "", .horizontal_axis = axis, .panels = {}, .points = true};
  report::Panel effect{"C (nats)", {}}, bound{"SSE + KL", {}};
  for (auto& [name, series] : effects) effect.series.push_back(series);
  for (auto& [name, series] : bounds) bound.series.push_back(series);
  chart.panels = {effect, bound};
  return chart;
}

report::LineChart latents_chart(const Selection& selection) {
  std::map<std::int64_t, const gce::Trial*> by_latents;
  for (const SelectionTrial& each : selection.trials) {
    const gce::Setting& setting = each.trial.setting;
    if (setting.causal == 0 && !setting.reference) by_latents[setting.latents()] = &each.trial;
  }
  report::Series bound{"SSE + KL", {}, {}}, sse{"SSE", {}, {}}, kl{"KL", {}, {}};
  for (const auto& [latents, trial] : by_latents) {
    for (report::Series* series : {&bound, &sse, &kl}) series->x.push_back(static_cast<double>(latents));
    bound.y.push_back(trial->bound());
    sse.y.push_back(trial->sse);
    kl.y.push_back(trial->kl);
  }
  return {.title = "Fidelity of the autoencoder alone, on test images",
          .horizontal_axis = "number of latents, K + L",
          .panels = {{"SSE + KL", {bound}}, {"SSE and KL", {sse, kl}}},
          .points = true};
}

}  // namespace

nlohmann::json to_json(const Selection& selection, gce::SelectionRule rule) {
  nlohmann::json trials = nlohmann::json::array();
  for (const SelectionTrial& each : selection.trials) {
    const gce::Trial& trial = each.trial;
    nlohmann::json entry = setting_json(trial.setting);
    entry["pilot"] = trial.setting.pilot;
    entry["reference"] = trial.setting.reference;
    entry["sse"] = trial.sse;
    entry["kl"] = trial.kl;
    entry["bound_se"] = trial.bound_se;
    if (trial.setting.causal > 0) {
      entry["effect"] = trial.effect;
      entry["effect_se"] = trial.effect_se;
    }
    entry["folder"] = each.folder;
    entry["seconds"] = each.seconds;
    trials.push_back(std::move(entry));
  }
  const std::optional<gce::Setting>& chosen = selection.decision.chosen;
  return {{"rule", gce::name_of(rule)},     {"chosen", chosen ? setting_json(*chosen) : nlohmann::json()},
          {"complete", selection.complete}, {"reasons", selection.decision.reasons},
          {"trials", std::move(trials)},    {"seconds", selection.seconds}};
}

std::string table_of(const Selection& selection) {
  std::string text = fmt::format("{:>3} {:>3} {:>9} {:>16} {:>8} {:>7} {:>16}\n", "K", "L", "lambda",
                                 "C (nats)", "SSE", "KL", "SSE + KL");
  for (const SelectionTrial& each : selection.trials) {
    const gce::Trial& trial = each.trial;
    const gce::Setting& setting = trial.setting;
    const bool causal = setting.causal > 0;
    const char* remark = is_chosen(selection, setting) ? "  chosen"
                         : setting.pilot               ? "  pilot"
                         : setting.reference           ? "  reference"
                                                       : "";
    text +=
        fmt::format("{:>3} {:>3} {:>9} {:>16} {:>8.2f} {:>7.2f} {:>16}{}\n", setting.causal,
                    setting.noncausal, causal ? fmt::format("{:g}", setting.lambda) : "-",
                    causal ? fmt::format("{:.3f} +- {:.3f}", trial.effect, trial.effect_se) : "-", trial.sse,
                    trial.kl, fmt::format("{:.2f} +- {:.2f}", trial.bound(), trial.bound_se), remark);
  }
  return text;
}

void draw_selection(const Selection& selection, const std::filesystem::path& folder) {
  const std::filesystem::path figures = folder / "figures";
  if (!selection.trials.empty()) report::draw(latents_chart(selection), figures / "latents");
  const std::vector<const gce::Trial*> trials = causal_trials(selection);
  if (trials.empty()) return;
  report::LineChart by_lambda = chart_of(
      trials, "log10 lambda", [](const gce::Trial& t) { return std::log10(t.setting.lambda); },
      [](const gce::Trial& t) { return fmt::format("K = {}", t.setting.causal); });
  by_lambda.title = "Causal effect and fidelity by lambda, on test images";
  report::draw(by_lambda, figures / "lambda");
  report::LineChart by_causal = chart_of(
      trials, "number of causal factors, K",
      [](const gce::Trial& t) { return static_cast<double>(t.setting.causal); },
      [](const gce::Trial& t) { return fmt::format("lambda = {:g}", t.setting.lambda); });
  by_causal.title = "Causal effect and fidelity by K, on test images";
  report::draw(by_causal, figures / "causal");
}

}  // namespace whence::run
