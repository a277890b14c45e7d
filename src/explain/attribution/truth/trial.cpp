// All methods on one problem.
#include <chrono>

#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/explain/attribution/truth.h"

namespace whence::attribution {
namespace {

void assign(const IntegerOption& type, Options& options, double value) {
  type.at(options) = static_cast<std::int64_t>(value);
}
void assign(const NumberOption& type, Options& options, double value) { type.at(options) = value; }
void assign(const TextOption& type, Options& options, double value) {
  type.at(options) = fmt::format("{}", value);
}

/// "baseline" stands for each method's own baseline, a number or a text.
bool means(const OptionSetting& setting, const Option& option) {
  return option.name == setting.option ||
         (setting.option == "baseline" &&
          (option.name.ends_with("_baseline") || option.name == "baseline_image"));
}

Options with_settings(const TruthProblem& problem, const Method& method, Options options) {
  for (const Option& option : method.options)
    for (const OptionSetting& setting : problem.settings)
      if (means(setting, option))
        std::visit([&](const auto& type) { assign(type, options, setting.value); }, option.type);
  return options;
}

void score_maps(TruthResult& result, const at::Tensor& values, const TruthTrial& trial) {
  const at::Tensor maps = values.sum(1, true);
  result.map = maps[0][0].to(at::kFloat);
  for (const std::string_view name : trial.problem->scores)
    result.scores.push_back(truth_score(name).compute(maps, trial.made.truth));
}

TruthResult result_of(const Method& method, const TruthTrial& trial, const Options& options) {
  TruthResult result;
  result.method = &method;
  try {
    const auto begun = std::chrono::steady_clock::now();
    const Attribution found =
        method.run(*trial.made.classifier, trial.made.images, trial.made.target, options);
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    score_maps(result, found.values, trial);
  } catch (const Error& error) {
    if (error.code() == ExitCode::interrupted) throw;
    result.left_out = error.what();
  }
  return result;
}

}  // namespace

at::Tensor edge_filter(const at::Tensor& images) {
  const at::Tensor across =
      at::tensor({-1.0F, 0.0F, 1.0F, -2.0F, 0.0F, 2.0F, -1.0F, 0.0F, 1.0F}, images.options())
          .view({1, 1, 3, 3});
  const at::Tensor padded = at::replication_pad2d(images.mean(1, true), {1, 1, 1, 1});
  return (at::conv2d(padded, across).square() + at::conv2d(padded, across.transpose(2, 3)).square()).sqrt();
}

std::optional<TruthTrial> try_methods(const TruthProblem& problem, std::span<const Method* const> methods,
                                      const TruthRequest& request, const Options& options) {
  std::optional<TruthCase> made = problem.make(request);
  if (!made) return std::nullopt;
  TruthTrial trial{.problem = &problem, .made = std::move(*made), .methods = {}, .random = {}, .edges = {}};
  Options own = options;
  own.references = trial.made.references;
  own.progress = request.progress;
  for (const Method* method : methods)
    trial.methods.push_back(result_of(*method, trial, with_settings(problem, *method, own)));
  Generator generator = make_generator(options.seed, "attribution/truth/random-order");
  const at::Tensor& x = trial.made.images;
  score_maps(trial.random, at::rand(x.sizes(), generator, at::TensorOptions(at::kFloat)).to(x.options()),
             trial);
  score_maps(trial.edges, edge_filter(x), trial);
  return trial;
}

}  // namespace whence::attribution
