#include "kinds/gce/linear_gaussian.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <set>

#include "experiment/metrics.h"
#include "experiment/version.h"
#include "report/figures.h"
#include "report/page.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/explain/gce/linear_gaussian.h"
#include "whence/platform/machine.h"

namespace whence::kinds {
namespace {

namespace fs = std::filesystem;
using at::Tensor;

constexpr double kDegrees = 180 / M_PI;

struct Landscape {
  std::vector<double> degrees, alpha, beta;  ///< flows where alpha's column points there, and beta's across

  std::size_t top() const {
    return static_cast<std::size_t>(std::max_element(alpha.begin(), alpha.end()) - alpha.begin());
  }
};

Landscape landscape_of(const gce::LinearGaussian& problem) {
  constexpr int kHalfTurn = 180;
  std::vector<double> flow;
  for (int degree = 0; degree < kHalfTurn; ++degree)
    flow.push_back(gce::exact_flow(problem, gce::fitted_weight(problem, degree / kDegrees), 1));
  Landscape landscape;
  for (std::size_t degree = 0; degree <= kHalfTurn; ++degree) {
    landscape.degrees.push_back(static_cast<double>(degree));
    landscape.alpha.push_back(flow[degree % kHalfTurn]);
    landscape.beta.push_back(flow[(degree + kHalfTurn / 2) % kHalfTurn]);
  }
  return landscape;
}

struct Answer {
  Tensor columns;  ///< that alpha must have
  double flow = 0;
};

/// In closed form where all of the flow can be alpha's, otherwise the top of the landscape.
Answer answer_of(const LinearGaussianProblem& asked) {
  const gce::LinearGaussian& problem = asked.problem;
  if (asked.training.causal == problem.normals.size(0)) {
    const Tensor root = at::linalg_cholesky(problem.covariance);
    return {gce::best_directions(problem), gce::exact_flow(problem, root, root.size(1))};
  }
  const Landscape landscape = landscape_of(problem);
  const double angle = landscape.degrees[landscape.top()] / kDegrees;
  return {gce::fitted_weight(problem, angle).narrow(1, 0, 1), landscape.alpha[landscape.top()]};
}

/// Where a column points in the plane in which the data are round, in 0 .. 180 degrees.
double turn_of(const gce::LinearGaussian& problem, const Tensor& column) {
  const Tensor round = at::linalg_solve(gce::fitted_weight(problem, 0), column);
  const double turn = std::atan2(round[1].item<double>(), round[0].item<double>()) * kDegrees;
  return turn < 0 ? turn + 180 : turn;
}

LinearGaussianResult carry_out(const LinearGaussianProblem& asked, const LinearGaussianRequest& request,
                               const ProgressCallback& progress) {
  const gce::LinearGaussian& problem = asked.problem;
  const std::int64_t causal = asked.training.causal;
  const Answer answer = answer_of(asked);
  LinearGaussianResult result{
      .name = asked.name, .title = asked.title, .causal = causal, .best_flow = answer.flow};
  for (std::int64_t i = 0; i < request.trainings; ++i) {
    gce::LinearGaussianTraining training = asked.training;
    training.seed = static_cast<std::uint64_t>(request.seed) + static_cast<std::uint64_t>(i);
    const Tensor weight = gce::learn_weight(problem, training, progress);
    const Tensor alpha = weight.narrow(1, 0, causal);
    result.flows.push_back(gce::exact_flow(problem, weight, causal));
    result.angles.push_back(gce::largest_angle(alpha, answer.columns) * kDegrees);
    result.distances.push_back(gce::divergence(problem, weight).item<double>());
    if (asked.has_landscape()) result.turns.push_back(turn_of(problem, alpha.select(1, 0)));
  }
  return result;
}

fs::path landscape_stem(const LinearGaussianProblem& asked) { return "figures/" + asked.name + "_landscape"; }

void draw_landscape(const LinearGaussianProblem& asked, const LinearGaussianResult& result,
                    const fs::path& stem) {
  const Landscape landscape = landscape_of(asked.problem);
  report::draw(
      {.title = asked.title + ": what alpha's direction is worth",
       .horizontal_axis = "where alpha's column points, in degrees, in the plane in which the data are round",
       .panels = {{"nats",
                   {{"I(alpha; Y)", landscape.degrees, landscape.alpha},
                    {"I(beta; Y)", landscape.degrees, landscape.beta},
                    {fmt::format("learned, {} trainings", result.turns.size()), result.turns, result.flows,
                     /*marks=*/true}}}}},
      stem);
}

report::Table table_of(const std::vector<LinearGaussianResult>& results) {
  report::Table table{{"problem", "where W fits exactly, nats", "learned, median", "least", "off by, median",
                       "most", "from the data, KL"},
                      {},
                      "Flows by quadrature; angles between what was learned and the answer."};
  for (const LinearGaussianResult& result : results) {
    const experiment::Spread flow = experiment::spread_of(result.flows),
                             angle = experiment::spread_of(result.angles);
    table.rows.push_back({result.title, fmt::format("{:.4f}", result.best_flow),
                          fmt::format("{:.4f}", flow.median), fmt::format("{:.4f}", flow.least),
                          fmt::format("{:.2f} degrees", angle.median),
                          fmt::format("{:.2f} degrees", angle.most),
                          fmt::format("{:.4f}", experiment::spread_of(result.distances).median)});
  }
  return table;
}

/// The first two landscapes stand beside the answer.
void add_landscapes(const LinearGaussianRecipe& recipe, const fs::path& folder, report::Page& page) {
  report::Section others{"landscapes", "More landscapes", {}, {}, {}};
  for (const LinearGaussianProblem& asked : recipe.problems) {
    if (!asked.has_landscape()) continue;
    const char* caption = asked.problem.normals.size(0) == 1
                              ? "All flow is alpha's where its column points along S v."
                              : "One direction cannot carry an AND: beta always keeps some flow.";
    (page.lead.size() < 2 ? page.lead : others.figures).push_back({folder / landscape_stem(asked), caption});
  }
  if (!others.figures.empty()) page.sections.push_back(std::move(others));
}

report::Page page_of(const LinearGaussianRecipe& recipe, const std::vector<LinearGaussianResult>& results,
                     const fs::path& folder) {
  report::Page page;
  page.title = recipe.title;
  page.subtitle = "Problems with known causes" + (recipe.source.empty() ? "" : ": " + recipe.source);
  double off = 0;
  for (const LinearGaussianResult& result : results)
    off = std::max(off, experiment::spread_of(result.angles).median);
  page.answer = fmt::format(
      "The data are Gaussian, the generator is a matrix, and the classifier asks for one hyperplane or for "
      "two at once: the causal directions can be worked out. Training from draws finds them within {:.1f} "
      "degrees (median of {} trainings each, the worst of {} problems).",
      off, results.front().angles.size(), results.size());
  for (const LinearGaussianResult& result : results)
    page.headlines.push_back({fmt::format("{:.4f} nats", experiment::spread_of(result.flows).median),
                              result.title, fmt::format("{:.4f} where W fits exactly", result.best_flow)});
  page.sections = {
      {"table",
       "Results",
       {"x is N(0, S). A generator x = W (alpha, beta) that fits has W = S^(1/2) R with a rotation R, so "
        "that only the direction of alpha's columns is left to choose, and the objective has the shape of "
        "I(alpha; Y). For K = the number of hyperplanes the best columns span the vectors S v; for an AND "
        "with K = 1 the best direction is the top of the landscape."},
       {table_of(results)},
       {}}};
  add_landscapes(recipe, folder, page);
  return page;
}

std::vector<std::vector<double>> rows_of(const Tensor& matrix) {
  std::vector<std::vector<double>> rows;
  for (const Tensor& row : matrix.unbind(0))
    rows.emplace_back(row.contiguous().data_ptr<double>(), row.contiguous().data_ptr<double>() + row.numel());
  return rows;
}

/// The request, for run.json.
nlohmann::json problems_json(const LinearGaussianRecipe& recipe) {
  nlohmann::json problems = nlohmann::json::array();
  for (const LinearGaussianProblem& asked : recipe.problems)
    problems.push_back({{"name", asked.name},
                        {"covariance", rows_of(asked.problem.covariance)},
                        {"hyperplanes", rows_of(asked.problem.normals)},
                        {"causal", asked.training.causal},
                        {"noncausal", asked.training.noncausal},
                        {"lambda", asked.training.lambda},
                        {"steps", asked.training.steps}});
  return problems;
}

/// Nothing of another run, whose metrics and report have the same names, and nothing that came of other problems may be
/// overwritten.
void check_folder(const fs::path& folder, const nlohmann::json& problems) {
  static const std::set<std::string> own = {"figures", "run.json", "report.html", "metrics.json"};
  if (!fs::exists(folder)) return;
  if (!fs::is_directory(folder)) fail("{} is not a folder; give another one with --out", folder.string());
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!own.contains(name))
      fail("{} is not empty ({}); give another folder with --out", folder.string(), name);
  }
  if (!fs::exists(folder / "run.json")) return;
  if (read_json(folder / "run.json").value("problems", problems) != problems)
    fail("{} holds the results of other problems; give another folder with --out", folder.string());
}

}  // namespace

std::vector<LinearGaussianResult> run_linear_gaussian(const LinearGaussianRecipe& recipe,
                                                      const LinearGaussianRequest& request,
                                                      const ProgressCallback& progress) {
  const nlohmann::json problems = problems_json(recipe);
  check_folder(request.folder, problems);
  std::error_code error;
  fs::create_directories(request.folder / "figures", error);
  if (error)
    fail("cannot make {}: {}; give another folder with --out", request.folder.string(), error.message());
  const auto start = std::chrono::steady_clock::now();
  std::vector<LinearGaussianResult> results;
  for (const LinearGaussianProblem& asked : recipe.problems) {
    results.push_back(carry_out(asked, request, progress));
    if (asked.has_landscape()) draw_landscape(asked, results.back(), request.folder / landscape_stem(asked));
  }
  report::write_page(page_of(recipe, results, request.folder), request.folder / "report.html");
  write_json(request.folder / "run.json", {{"whence", experiment::version()},
                                           {"problems", problems},
                                           {"trainings", request.trainings},
                                           {"seed", request.seed},
                                           {"machine", to_json(describe_machine())}});
  nlohmann::json metrics = to_json(results);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  metrics["stages"]["trainings"]["seconds"] = taken.count();
  write_json(request.folder / "metrics.json", metrics);
  return results;
}

nlohmann::json to_json(const std::vector<LinearGaussianResult>& results) {
  nlohmann::json json = nlohmann::json::object();
  for (const LinearGaussianResult& result : results) {
    const experiment::Spread flow = experiment::spread_of(result.flows),
                             angle = experiment::spread_of(result.angles);
    json[result.name] = {{"causal", result.causal},
                         {"best_flow", result.best_flow},
                         {"flow", {{"median", flow.median}, {"least", flow.least}}},
                         {"angle_degrees", {{"median", angle.median}, {"most", angle.most}}},
                         {"divergence", experiment::spread_of(result.distances).median}};
  }
  return json;
}

}  // namespace whence::kinds
