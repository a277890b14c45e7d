#include "kinds/attribution/truth.h"

#include <map>
#include <nlohmann/json.hpp>

#include "experiment/metrics.h"

namespace whence::kinds {
namespace {

using attribution::TruthResult;
using attribution::TruthScore;
using attribution::TruthTrial;
using nlohmann::json;

json of_result(const TruthTrial& trial, const TruthResult& result) {
  json found = json::object();
  for (std::size_t i = 0; i < result.scores.size(); ++i) {
    const at::Tensor exact = result.scores[i].to(at::kDouble);
    json& own = found[std::string(trial.problem->scores[i])];
    own["mean"] = exact.mean().item<double>();
    if (exact.numel() > 1)
      own["se"] = exact.std().item<double>() / std::sqrt(static_cast<double>(exact.numel()));
  }
  if (result.method != nullptr)
    found["seconds_per_image"] = result.seconds / static_cast<double>(trial.made.images.size(0));
  return found;
}

json of_trial(const TruthTrial& trial) {
  json own = {{"title", trial.problem->title},
              {"images", trial.made.images.size(0)},
              {"random_order", of_result(trial, trial.random)},
              {"edge_filter", of_result(trial, trial.edges)},
              {"methods", json::object()},
              {"skipped", json::object()}};
  if (!std::isnan(trial.made.accuracy)) own["accuracy"] = trial.made.accuracy;
  for (const TruthResult& result : trial.methods) {
    const std::string name(result.method->name);
    if (result.left_out.empty())
      own["methods"][name] = of_result(trial, result);
    else
      own["skipped"][name] = result.left_out;
  }
  return own;
}

/// Of a method, or of a row that no method makes; null where there is none.
const json* row_of(const json& problem, const std::string& name) {
  if (problem.contains(name)) return &problem.at(name);
  const auto found = problem.at("methods").find(name);
  return found == problem.at("methods").end() ? nullptr : &*found;
}

const TruthScore& first_score(const std::string& problem) {
  return attribution::truth_score(attribution::truth_problem(problem).scores.front());
}

/// Larger is better.
double merit(const json& row, const TruthScore& score) {
  return (score.larger_is_better ? 1 : -1) * row.at(std::string(score.name)).at("mean").get<double>();
}

/// The methods of all problems, in the table's order.
std::vector<std::string> methods_of(const json& trials) {
  std::vector<std::string> names;
  for (const attribution::Method& method : attribution::methods())
    for (const auto& [problem, own] : trials.at("problems").items())
      if (own.at("methods").contains(std::string(method.name))) {
        names.emplace_back(method.name);
        break;
      }
  return names;
}

/// On how many problems a method is among the best: not worse than the best by more than 0.05.
std::map<std::string, int> wins_of(const json& trials) {
  constexpr double near = 0.05;
  std::map<std::string, int> wins;
  for (const auto& [problem, own] : trials.at("problems").items()) {
    const TruthScore& score = first_score(problem);
    double best = -std::numeric_limits<double>::infinity();
    for (const auto& [name, row] : own.at("methods").items()) best = std::max(best, merit(row, score));
    for (const auto& [name, row] : own.at("methods").items()) wins[name] += merit(row, score) >= best - near;
  }
  return wins;
}

bool beats_edges_somewhere(const json& trials, const std::string& method) {
  for (const auto& [problem, own] : trials.at("problems").items()) {
    const json* row = row_of(own, method);
    const TruthScore& score = first_score(problem);
    if (row != nullptr && merit(*row, score) > merit(own.at("edge_filter"), score)) return true;
  }
  return false;
}

std::string titles_of(const std::vector<std::string>& names) {
  std::vector<std::string_view> titles;
  for (const std::string& name : names) titles.push_back(attribution::method(name).title);
  return fmt::format("{}", fmt::join(titles, ", "));
}

report::Table table_of_score(const json& trials, const std::string& score_name) {
  report::Table table;
  table.header = {"method"};
  std::vector<std::string> problems;
  for (const attribution::TruthProblem& problem : attribution::truth_problems()) {
    const std::string name(problem.name);
    if (!trials.at("problems").contains(name)) continue;
    if (std::find(problem.scores.begin(), problem.scores.end(), score_name) == problem.scores.end()) continue;
    problems.push_back(name);
    table.header.push_back(name);
  }
  const TruthScore& score = attribution::truth_score(score_name);
  const auto cell = [&](const json* row) -> std::string {
    if (row == nullptr || !row->contains(score_name)) return "-";
    const json& own = row->at(score_name);
    const double mean = own.at("mean").get<double>();
    if (!score.larger_is_better && mean < 0.005) return fmt::format("{:.1e}", mean);
    return fmt::format("{:.2f} ± {:.2f}", mean, own.value("se", 0.0));
  };
  std::vector<std::string> names = methods_of(trials);
  names.insert(names.end(), {"random_order", "edge_filter"});
  for (const std::string& name : names) {
    std::vector<std::string> cells = {name == "random_order"  ? "random order"
                                      : name == "edge_filter" ? "edge filter"
                                                              : std::string(attribution::method(name).title)};
    for (const std::string& problem : problems)
      cells.push_back(cell(row_of(trials.at("problems").at(problem), name)));
    table.rows.push_back(std::move(cells));
  }
  table.caption =
      fmt::format("{} ({}): means over the images with standard errors. {} -: no map.", score.title,
                  score.larger_is_better ? "more is better" : "less is better", score.meaning);
  return table;
}

report::Section problems_section(const json& trials) {
  report::Section section{"problems", "The problems", {}, {}, {}};
  report::Table table;
  table.header = {"problem", "what is true", "source", "images", "accuracy"};
  for (const attribution::TruthProblem& problem : attribution::truth_problems()) {
    const auto found = trials.at("problems").find(std::string(problem.name));
    if (found == trials.at("problems").end()) continue;
    table.rows.push_back(
        {fmt::format("{}: {}", problem.name, problem.title), std::string(problem.meaning),
         std::string(problem.source), std::to_string(found->at("images").get<std::int64_t>()),
         found->contains("accuracy") ? fmt::format("{:.3f}", found->at("accuracy").get<double>())
                                     : "written"});
  }
  table.caption =
      "Each problem sets the baseline of the methods that have one (grey where images lie around grey), and "
      "the windows of occlusion and Shapley values. Accuracy: of the classifier on images that it was not "
      "trained on.";
  section.tables.push_back(std::move(table));
  return section;
}

}  // namespace

json to_json(const TruthTrials& trials) {
  json all = json::object();
  for (const TruthTrial& trial : trials) all[std::string(trial.problem->name)] = of_trial(trial);
  return {{"problems", all}};
}

double truth_seconds(const json& trials, const std::string& method) {
  double sum = 0;
  int count = 0;
  for (const auto& [problem, own] : trials.at("problems").items())
    if (const auto row = own.at("methods").find(method); row != own.at("methods").end()) {
      sum += row->at("seconds_per_image").get<double>();
      ++count;
    }
  return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / count;
}

std::string truth_summary(const json& trials) {
  const std::map<std::string, int> wins = wins_of(trials);
  int most = 0;
  for (const auto& [name, count] : wins) most = std::max(most, count);
  std::vector<std::string> best, blind;
  for (const std::string& name : methods_of(trials)) {
    if (wins.at(name) == most) best.push_back(name);
    if (!beats_edges_somewhere(trials, name)) blind.push_back(name);
  }
  std::string text =
      fmt::format("Of {} problems with a known answer, **{}** {} among the best (within 0.05) on {}.",
                  trials.at("problems").size(), titles_of(best), best.size() == 1 ? "is" : "are", most);
  if (!blind.empty()) text += fmt::format(" On no problem better than an edge filter: {}.", titles_of(blind));
  return text + " No method finds the truth everywhere: look at the problem that is like yours.";
}

report::Page truth_page(const json& trials, const std::filesystem::path& stem) {
  report::Page page;
  page.title = "Which methods find what is true";
  page.subtitle = fmt::format("{} methods of attribution on {} problems whose answer is known",
                              methods_of(trials).size(), trials.at("problems").size());
  page.answer = truth_summary(trials);
  report::Section scores{"scores", "Methods by problems", {}, {}, {}};
  for (const TruthScore& score : attribution::truth_scores()) {
    report::Table table = table_of_score(trials, std::string(score.name));
    table.is_answer = true;
    if (table.header.size() > 1) scores.tables.push_back(std::move(table));
  }
  report::Table times{{"method", "seconds an image"}, {}, "Mean over the problems."};
  for (const std::string& name : methods_of(trials))
    times.rows.push_back(
        {std::string(attribution::method(name).title), fmt::format("{:.2g}", truth_seconds(trials, name))});
  scores.tables.push_back(std::move(times));
  page.sections = {std::move(scores), problems_section(trials)};
  page.sections.push_back(
      {"maps",
       "Maps",
       {},
       {},
       {{stem,
         "The first image of each problem, its true pixels, and what each method makes of "
         "it. Each map has its own scale."}}});
  return page;
}

}  // namespace whence::kinds
