#include "kinds/attribution/comparison.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::kinds {
namespace {

std::vector<at::Tensor> measured(const models::Classifier& classifier, const at::Tensor& images,
                                 const at::Tensor& target, const at::Tensor& maps,
                                 const AttributionOptions& options) {
  attribution::PerturbationOptions own = options.perturbation;
  own.batch = options.options.batch;
  std::vector<at::Tensor> all;
  for (const attribution::Measure& measure : attribution::measures())
    all.push_back(measure.compute(classifier, images, target, maps, options.options.score, own));
  return all;
}

/// Mean over images and its standard error; none of a single image.
nlohmann::json spread(const at::Tensor& values) {
  const at::Tensor exact = values.to(at::kDouble);
  nlohmann::json result = {{"mean", exact.mean().item<double>()}};
  if (exact.numel() > 1)
    result["se"] = exact.std().item<double>() / std::sqrt(static_cast<double>(exact.numel()));
  return result;
}

nlohmann::json to_json(const MeasuredMaps& maps) {
  nlohmann::json result = nlohmann::json::object();
  for (std::size_t i = 0; i < maps.measures.size(); ++i)
    result[std::string(attribution::measures()[i].name)] = spread(maps.measures[i]);
  if (maps.method == nullptr) return result;
  const auto images = static_cast<double>(maps.found.scores.size(0));
  result["seconds_per_image"] = maps.seconds / images;
  if (maps.found.completeness_error.defined())
    result["completeness_error"] = maps.found.completeness_error.abs().max().item<double>();
  if (maps.found.approximation_error.defined())
    result["approximation_error"] = maps.found.approximation_error.median().item<double>();
  if (maps.found.standard_error.defined()) {
    const double size = maps.found.values.abs().mean().item<double>();
    if (size > 0) result["relative_se"] = maps.found.standard_error.mean().item<double>() / size;
  }
  return result;
}

}  // namespace

AttributionMethods attribution_methods(const std::vector<std::string>& names) {
  AttributionMethods methods;
  for (const std::string& name : names) methods.push_back(&attribution::method(name));
  if (names.empty())
    for (const attribution::Method& method : attribution::methods()) methods.push_back(&method);
  return methods;
}

bool need_generator(const AttributionMethods& methods) {
  return std::any_of(methods.begin(), methods.end(), [](const attribution::Method* method) {
    return method->needs == attribution::Needs::generator;
  });
}

Comparison compare_methods(const models::Classifier& classifier, const at::Tensor& images,
                           const at::Tensor& target, const AttributionMethods& methods,
                           const AttributionOptions& options, bool may_skip,
                           const ProgressCallback& progress) {
  Comparison comparison;
  attribution::Options own = options.options;
  own.progress = progress;
  for (const attribution::Method* method : methods) {
    try {
      const auto begun = std::chrono::steady_clock::now();
      attribution::Attribution found = method->run(classifier, images, target, own);
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
      std::vector<at::Tensor> values = measured(classifier, images, target, found.values, options);
      comparison.methods.push_back({method, std::move(found), std::move(values), taken.count()});
    } catch (const Error& error) {
      if (!may_skip || error.code() == ExitCode::interrupted) throw;
      comparison.skipped.emplace_back(method->name, error.what());
    }
  }
  if (comparison.methods.empty())
    fail("no method of attribution works here: {}", comparison.skipped.front().second);
  Generator generator = make_generator(own.seed, "attribution/random-order");
  const at::Tensor random = at::rand(images.sizes(), generator).to(images.options());
  comparison.random.measures = measured(classifier, images, target, random, options);
  return comparison;
}

nlohmann::json to_json(const Comparison& comparison, const AttributionOptions& options) {
  nlohmann::json methods = nlohmann::json::object(), skipped = nlohmann::json::object();
  for (const MeasuredMaps& each : comparison.methods) methods[std::string(each.method->name)] = to_json(each);
  for (const auto& [name, reason] : comparison.skipped) skipped[name] = reason;
  nlohmann::json result = {{"score", attribution::name_of(options.options.score)},
                           {"methods", methods},
                           {"random_order", to_json(comparison.random)}};
  if (!skipped.empty()) result["skipped"] = skipped;
  return result;
}

}  // namespace whence::kinds
