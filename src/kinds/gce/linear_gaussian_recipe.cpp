#include <cctype>
#include <set>

#include "core/toml_tables.h"
#include "kinds/gce/linear_gaussian.h"

namespace whence::kinds {
namespace {

template <class Part>
using Key = TomlKey<Part>;
using Entry = TomlEntry;

constexpr TomlKind kKind = {"a recipe of linear-Gaussian problems", "`whence linear-gaussian --reference`"};

at::Tensor matrix_in(const Entry& entry) {
  std::vector<at::Tensor> rows;
  for (const std::vector<double>& row : entry.matrix()) rows.push_back(at::tensor(row, at::kDouble));
  return at::stack(rows);
}

std::string name_in(const Entry& entry) {
  const std::string name = entry.text();
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char letter) {
    return std::isalnum(letter) != 0 || letter == '_' || letter == '-';
  });
  if (!plain) entry.reject("of letters, digits, _ and -");
  return name;
}

const std::vector<Key<LinearGaussianProblem>>& problem_keys() {
  using Part = LinearGaussianProblem;
  static const std::vector<Key<Part>> keys = {
      {"name", [](const Entry& e, Part& p) { p.name = name_in(e); },
       "Under which its figures and metrics stand.", true},
      {"title", [](const Entry& e, Part& p) { p.title = e.text(); },
       "What the report calls it; the name by default."},
      {"covariance", [](const Entry& e, Part& p) { p.problem.covariance = matrix_in(e); },
       "S of the data, x ~ N(0, S): symmetric and positive definite.", true},
      {"hyperplanes", [](const Entry& e, Part& p) { p.problem.normals = matrix_in(e); },
       "One row or two: the classifier says yes to x with the product of sigmoid(v . x) over the rows v.",
       true},
      {"causal", [](const Entry& e, Part& p) { p.training.causal = e.integer(1, 16); },
       "K. The answer is known where it is the number of hyperplanes, and for 1 of 2 dimensions."},
      {"noncausal", [](const Entry& e, Part& p) { p.training.noncausal = e.integer(0, 16); },
       "L; K + L is the number of dimensions."},
      {"lambda", [](const Entry& e, Part& p) { p.training.lambda = e.positive(); },
       "Weight of the generator's distance from the data, a KL divergence, against I(alpha; Y)."},
      {"steps", [](const Entry& e, Part& p) { p.training.steps = e.integer(1, 10'000'000); },
       "Steps of each training."},
  };
  return keys;
}

const std::vector<Key<LinearGaussianRecipe>>& recipe_keys_of_problems() {
  using Part = LinearGaussianRecipe;
  static const std::vector<Key<Part>> keys = {
      {"title", [](const Entry& e, Part& r) { r.title = e.text(); }, "The heading of the report.", true},
      {"source", [](const Entry& e, Part& r) { r.source = e.text(); },
       "The text that the problems are from."},
      {"problem", [](const Entry& e, Part& r) { r.problems = read_tables(e, kKind, problem_keys()); },
       "[[problem]]: what is learned, each with the keys below.", true},
  };
  return keys;
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
  LinearGaussianRecipe recipe;
  const std::string name = file.string();
  read_table(name, kKind, parse_toml(file, kKind.name), recipe_keys_of_problems(), recipe);
  std::set<std::string> names;
  for (LinearGaussianProblem& each : recipe.problems) {
    check(each);
    if (each.title.empty()) each.title = each.name;
    if (!names.insert(each.name).second)
      fail_usage("{}: the name {} is another problem's, too; give it another", each.place, each.name);
  }
  if (recipe.problems.empty()) fail_usage("{}: there is no [[problem]] in it", name);
  return recipe;
}

std::string linear_gaussian_reference() {
  return "# Linear-Gaussian problems\n\nWhat may stand in the file that `whence linear-gaussian` reads.\n" +
         table_of_keys("The file", recipe_keys_of_problems()) + table_of_keys("[[problem]]", problem_keys());
}

}  // namespace whence::kinds
