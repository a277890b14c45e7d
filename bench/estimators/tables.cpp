#include "estimators/tables.h"

#include "report/figures.h"

namespace whence::bench {
namespace {

constexpr double kBudget = 128;  ///< passes at which designs of different cost are compared

/// Of linear-Gaussian problems that `belongs` accepts; NaN when there are none.
template <class Belongs>
double mean_error(const std::vector<Compared>& all, const Design& design, Belongs belongs) {
  double logarithms = 0, n = 0;
  for (const Compared& compared : all) {
    if (!belongs(compared.problem)) continue;
    const Quality& quality = compared.qualities.at(design.name());
    logarithms += std::log(quality.gradient_error_at(static_cast<double>(design.passes()), kBudget));
    n += 1;
  }
  return std::exp(logarithms / n);
}

bool is_trained(const Problem& problem) { return !problem.image_noise.empty(); }

}  // namespace

std::string table_of(const Compared& compared) {
  const Truth& truth = compared.problem.truth;
  std::string text =
      fmt::format("## {}\n\nTrue flow {:.4f} +- {:.4f} nats; its gradient is known to {:.1f} %.\n\n",
                  compared.problem.name, truth.nats, truth.se, 100 * truth.gradient_error);
  for (const ImageNoise& noise : compared.problem.image_noise)
    text += fmt::format("The gradient of lambda SSE from {} images errs by {:.2f} on the same scale.\n\n",
                        noise.batch, noise.error);
  text +=
      "| design | passes | bias | deviation | gradient's bias | gradient's error | at 128 passes |\n"
      "|---|---|---|---|---|---|---|\n";
  for (const Design& design : all_designs()) {
    const Quality& q = compared.qualities.at(design.name());
    text += fmt::format("| {} | {} | {:+.4f} | {:.4f} | {:.3f} | {:.3f} | {:.3f} |\n", design.name(),
                        design.passes(), q.bias, q.deviation, q.gradient_bias, q.gradient_error,
                        q.gradient_error_at(static_cast<double>(design.passes()), kBudget));
  }
  return text + "\n";
}

std::string summary_of(const std::vector<Compared>& all) {
  std::string text =
      "## The gradient's error at the cost of 128 passes\n\n"
      "| design | M = 2 | M = 3 | M = 10 | K = 1 | K = 2 | K = 3 | K = 4 | all twelve | trained |\n"
      "|---|---|---|---|---|---|---|---|---|---|\n";
  for (const Design& design : all_designs()) {
    text += "| " + design.name();
    const auto add = [&](auto belongs) {
      const double error = mean_error(all, design, belongs);
      text += std::isfinite(error) ? fmt::format(" | {:.3f}", error) : " | ";
    };
    for (const std::int64_t classes : {2, 3, 10})
      add([&](const Problem& problem) { return !is_trained(problem) && problem.classes == classes; });
    for (const std::int64_t causal : {1, 2, 3, 4})
      add([&](const Problem& problem) { return !is_trained(problem) && problem.causal == causal; });
    add([](const Problem& problem) { return !is_trained(problem); });
    add(is_trained);
    text += " |\n";
  }
  return text + "\n";
}

void draw_errors(const Compared& compared, const std::filesystem::path& stem) {
  report::LineChart chart;
  chart.title = compared.problem.name;
  chart.horizontal_axis = "passes through generator and classifier";
  chart.panels = {{"error of the value, nats", {}}, {"relative error of the gradient", {}}};
  for (const Family& family : families()) {
    report::Series value{family.name, {}, {}}, gradient{family.name, {}, {}};
    for (const Design& design : family.designs) {
      const Quality& quality = compared.qualities.at(design.name());
      for (report::Series* series : {&value, &gradient})
        series->x.push_back(static_cast<double>(design.passes()));
      value.y.push_back(quality.error());
      gradient.y.push_back(quality.gradient_error);
    }
    chart.panels[0].series.push_back(value);
    chart.panels[1].series.push_back(gradient);
  }
  report::draw(chart, stem);
}

}  // namespace whence::bench
