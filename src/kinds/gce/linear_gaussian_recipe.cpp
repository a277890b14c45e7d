#include <cctype>
#include <set>

#include "config/schema.h"
#include "kinds/gce/linear_gaussian.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::kinds {
namespace {

constexpr std::string_view kReference = "`whence linear-gaussian --reference`";

struct Rows {
  std::vector<std::vector<double>> covariance, hyperplanes;
};

const config::Section& file_keys() {
  using config::Text, config::at;
  static const config::Section section = {
      "",
      "",
      {{"title", Text{at(&LinearGaussianRecipe::title)}, "", "The heading of the report.", true},
       {"source", Text{at(&LinearGaussianRecipe::source)}, "", "The paper that the problems are from."}}};
  return section;
}

const config::Section& problem_keys() {
  using config::Text, config::Matrix, config::Integer, config::Number, config::at;
  constexpr auto training = &LinearGaussianProblem::training;
  using Learning = gce::LinearGaussianTraining;
  static const config::Section section = {
      "problem",
      "",
      {{"name", Text{at(&LinearGaussianProblem::name)}, "",
        "Under which its figures and metrics stand: letters, digits, _ and -.", true},
       {"title", Text{at(&LinearGaussianProblem::title)}, "", "Title in the report (default: the name)."},
       {"covariance", Matrix{at(&Rows::covariance)}, "",
        "S of the data, x ~ N(0, S): symmetric and positive definite.", true},
       {"hyperplanes", Matrix{at(&Rows::hyperplanes)}, "",
        "One row or two: the classifier says yes to x with the product of sigmoid(v . x) over the rows v.",
        true},
       {"causal", Integer{at(training, &Learning::causal), 1, 16}, "",
        "K. The answer is known where it is the number of hyperplanes, and for 1 of 2 dimensions."},
       {"noncausal", Integer{at(training, &Learning::noncausal), 0, 16}, "",
        "L; K + L is the number of dimensions."},
       {"lambda", Number{at(training, &Learning::lambda), 0, std::numeric_limits<double>::infinity(), true},
        "", "Weight of the generator's distance from the data, a KL divergence, against I(alpha; Y)."},
       {"steps", Integer{at(training, &Learning::steps), 1, 10'000'000}, "", "Steps of each training."}}};
  return section;
}

at::Tensor tensor_of(const std::vector<std::vector<double>>& rows) {
  std::vector<at::Tensor> tensors;
  for (const std::vector<double>& row : rows) tensors.push_back(at::tensor(row, at::kDouble));
  return at::stack(tensors);
}

LinearGaussianProblem problem_of(config::Table& table) {
  LinearGaussianProblem problem = table.values.get<LinearGaussianProblem>();
  problem.place = table.place;
  problem.problem.covariance = tensor_of(table.values.get<Rows>().covariance);
  problem.problem.normals = tensor_of(table.values.get<Rows>().hyperplanes);
  if (problem.title.empty()) problem.title = problem.name;
  return problem;
}

constexpr double kLeastVariance = 0.1;
/// Of v . x, where the quadrature of four dimensions is still exact to 1e-4 (gce/linear_gaussian.h).
constexpr double kMostDeviation = 3;

/// Errors: a quadrature that would not be exact.
void check_quadrature(const LinearGaussianProblem& each) {
  const at::Tensor &covariance = each.problem.covariance, &normals = each.problem.normals;
  const bool four = normals.size(0) == 2 && each.training.causal >= 2 && each.training.noncausal >= 2;
  const double most = normals.matmul(covariance).mul(normals).sum(1).max().sqrt().item<double>();
  if (four && most > kMostDeviation)
    fail_usage(
        "{}: v . x varies by {:.1f} in {}; with two hyperplanes, K and L of 2 or more it may by {:g}, beyond "
        "which the flow is not computed exactly",
        each.place, most, each.name, kMostDeviation);
}

void check(const LinearGaussianProblem& each) {
  const at::Tensor &covariance = each.problem.covariance, &normals = each.problem.normals;
  const std::int64_t dimensions = covariance.size(0), hyperplanes = normals.size(0);
  const std::int64_t causal = each.training.causal, noncausal = each.training.noncausal;
  const bool plain = !each.name.empty() && std::all_of(each.name.begin(), each.name.end(), [](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_' || letter == '-';
  });
  if (!plain) fail_usage("{}: the name '{}' must be of letters, digits, _ and -", each.place, each.name);
  const bool square = covariance.size(1) == dimensions;
  if (!square || !at::equal(covariance, covariance.t()) ||
      at::linalg_eigvalsh(covariance).min().item<double>() < kLeastVariance)
    fail_usage(
        "{}: the covariance of {} must be symmetric, with eigenvalues of {:g} or more, well above the noise "
        "of {:g}",
        each.place, each.name, kLeastVariance, each.problem.noise);
  if (hyperplanes > 2 || normals.size(1) != dimensions)
    fail_usage("{}: {} must have one hyperplane or two, each of {} numbers as the covariance has rows",
               each.place, each.name, dimensions);
  const at::Tensor sizes = at::linalg_svdvals(normals);
  if (!(sizes.min().item<double>() > 1e-6 * sizes.max().item<double>()))
    fail_usage("{}: the hyperplanes of {} must not be 0, nor parallel", each.place, each.name);
  if (causal + noncausal != dimensions)
    fail_usage("{}: causal + noncausal of {} is {}, but must be {}, the number of dimensions", each.place,
               each.name, causal + noncausal, dimensions);
  if (causal != hyperplanes && !each.has_landscape())
    fail_usage(
        "{}: the answer of {} is not known: causal must be the number of hyperplanes, or 1 with 2 dimensions",
        each.place, each.name);
  check_quadrature(each);
}

}  // namespace

LinearGaussianRecipe load_linear_gaussian(const std::filesystem::path& file) {
  config::Values values;
  auto tables =
      config::parse_tables(values, {file_keys()}, problem_keys(), read_file(file), file, kReference);
  LinearGaussianRecipe recipe = values.get<LinearGaussianRecipe>();
  std::set<std::string> names;
  for (config::Table& table : tables) {
    const LinearGaussianProblem& each = recipe.problems.emplace_back(problem_of(table));
    check(each);
    if (!names.insert(each.name).second)
      fail_usage("{}: two problems are called {}; rename one", each.place, each.name);
  }
  return recipe;
}

std::string linear_gaussian_reference() {
  return "# Linear-Gaussian problems\n\nAll keys of the file that `whence linear-gaussian` reads.\n"
         "\n## The file\n\n" +
         config::reference(file_keys()) + "\n## [[problem]]\n\n" + config::reference(problem_keys());
}

}  // namespace whence::kinds
