#include "kinds/attribution/comparison.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/explain/attribution/path_mask.h"
#include "whence/explain/attribution/truth.h"

namespace whence::kinds {
namespace {

constexpr std::int64_t kManyPixels = 10'000;  ///< beyond them, costly methods must be asked for

std::vector<at::Tensor> measured(const attribution::Judged& judged, const AttributionOptions& options,
                                 const std::string& name, const ProgressCallback& progress) {
  attribution::PerturbationOptions own = options.perturbation;
  own.batch = options.options.batch;
  own.seed = options.options.seed;
  own.generator = options.options.generator;
  std::vector<at::Tensor> all;
  for (const attribution::Measure& measure : attribution::measures()) {
    if (progress)
      own.progress = [&](Progress step) {
        step.stage = fmt::format("{} of {}", measure.title, name);
        progress(step);
      };
    all.push_back(measure.compute(judged, own));
  }
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
    if (maps.measures[i].defined())
      result[std::string(attribution::measures()[i].name)] = spread(maps.measures[i]);
  if (maps.method == nullptr) return result;
  if (maps.method->compute != nullptr)
    result["seconds_per_image"] = maps.seconds / static_cast<double>(maps.found.scores.size(0));
  if (maps.found.completeness_error.defined())
    result["completeness_error"] = maps.found.completeness_error.abs().max().item<double>();
  if (is_empty(maps)) result["empty"] = true;
  if (maps.found.approximation_error.defined())
    result["approximation_error"] = maps.found.approximation_error.median().item<double>();
  if (maps.found.standard_error.defined()) {
    const double size = maps.found.values.abs().mean().item<double>();
    if (size > 0) result["relative_se"] = maps.found.standard_error.mean().item<double>() / size;
  }
  return result;
}

}  // namespace

bool is_empty(const MeasuredMaps& maps) {
  constexpr double rounding = 1e-7;  // of a score in float32
  const double largest = maps.found.values.abs().max().item<double>();
  return largest <= rounding * maps.found.scores.abs().max().item<double>();
}

std::string empty_sentence(std::string_view method) {
  return fmt::format(
      "{} gives every pixel a value of 0 but for rounding: here the score does not change with the image, as "
      "that of a "
      "saturated probability; ask for the logit, or for another method.",
      method);
}

AttributionMethods attribution_methods(const std::vector<std::string>& names) {
  AttributionMethods methods;
  for (const std::string& name : names) methods.push_back(&attribution::method(name));
  if (names.empty())
    for (const attribution::Method& method : attribution::methods()) methods.push_back(&method);
  return methods;
}

bool need(attribution::Needs needs, const AttributionMethods& methods) {
  return std::any_of(methods.begin(), methods.end(),
                     [&](const attribution::Method* method) { return method->needs == needs; });
}

bool need_codes(const AttributionMethods& methods, const attribution::Options& options) {
  return need(attribution::Needs::generator, methods) && !attribution::by_translation(options);
}

Comparison map_methods(const models::Classifier& classifier, const at::Tensor& images,
                       const at::Tensor& target, const AttributionMethods& methods,
                       const AttributionOptions& options, bool may_skip, const ProgressCallback& progress) {
  Comparison comparison;
  attribution::Options own = options.options;
  own.progress = progress;
  const bool large = images.size(2) * images.size(3) > kManyPixels;
  for (const attribution::Method* method : methods) {
    if (may_skip && large && method->costly) {
      comparison.skipped.emplace_back(
          method->name, "it takes hundreds of passes for each of these large images; ask for it by its name");
      continue;
    }
    try {
      const auto begun = std::chrono::steady_clock::now();
      attribution::Attribution found = method->run(classifier, images, target, own);
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
      comparison.methods.push_back({method, std::move(found), {}, taken.count()});
    } catch (const Error& error) {
      if (!may_skip || error.code() == ExitCode::interrupted) throw;
      comparison.skipped.emplace_back(method->name, error.what());
    }
  }
  if (comparison.methods.empty())
    fail("no method of attribution works here: {}", comparison.skipped.front().second);
  return comparison;
}

void measure_maps(Comparison& comparison, const models::Classifier& classifier, const at::Tensor& images,
                  const at::Tensor& target, const AttributionOptions& options,
                  const ProgressCallback& progress) {
  attribution::Options own = options.options;
  own.progress = progress;
  for (MeasuredMaps& maps : comparison.methods) {
    const attribution::Method* method = maps.method->compute == nullptr ? nullptr : maps.method;
    maps.measures = measured({classifier, images, target, maps.found.values, own.score, method, &own},
                             options, std::string(maps.method->name), progress);
  }
  Generator generator = make_generator(own.seed, "attribution/random-order");
  const at::Tensor random = at::rand(images.sizes(), generator).to(images.options());
  comparison.random.measures =
      measured({classifier, images, target, random, own.score}, options, "random order", progress);
  comparison.edges.measures =
      measured({classifier, images, target, attribution::edge_filter(images), own.score}, options,
               "edge filter", progress);
}

Comparison compare_methods(const models::Classifier& classifier, const at::Tensor& images,
                           const at::Tensor& target, const AttributionMethods& methods,
                           const AttributionOptions& options, bool may_skip,
                           const ProgressCallback& progress) {
  Comparison comparison = map_methods(classifier, images, target, methods, options, may_skip, progress);
  measure_maps(comparison, classifier, images, target, options, progress);
  return comparison;
}

nlohmann::json to_json(const Comparison& comparison, const AttributionOptions& options) {
  nlohmann::json methods = nlohmann::json::object(), skipped = nlohmann::json::object();
  for (const MeasuredMaps& each : comparison.methods) methods[std::string(each.method->name)] = to_json(each);
  for (const auto& [name, reason] : comparison.skipped) skipped[name] = reason;
  nlohmann::json result = {{"score", attribution::name_of(options.options.score)},
                           {"methods", methods},
                           {"replacement", attribution::name_of(options.perturbation.replacement)},
                           {"random_order", to_json(comparison.random)},
                           {"edge_filter", to_json(comparison.edges)}};
  if (!skipped.empty()) result["skipped"] = skipped;
  const bool has_paths = std::any_of(
      comparison.methods.begin(), comparison.methods.end(),
      [](const MeasuredMaps& each) { return each.method->needs == attribution::Needs::generator; });
  if (has_paths) result["path_baseline"] = options.options.of<attribution::ImagePath>().baseline;
  return result;
}

}  // namespace whence::kinds
