#include "whence/explain/gce/flow.h"

#include <numeric>

#include "explain/gce/classify.h"
#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::gce {
namespace {

/// Factors first .. last-1.
Factors range(std::int64_t first, std::int64_t last) {
  Factors factors(static_cast<std::size_t>(last - first));
  std::iota(factors.begin(), factors.end(), first);
  return factors;
}

void check_factors(const Factors& which, std::int64_t latents) {
  for (std::size_t i = 0; i < which.size(); ++i) {
    if (which[i] < 0 || which[i] >= latents)
      fail_usage("there is no latent factor {}; the decoder has {}, numbered from 0", which[i], latents);
    if (std::find(which.begin(), which.begin() + static_cast<std::ptrdiff_t>(i), which[i]) !=
        which.begin() + static_cast<std::ptrdiff_t>(i))
      fail_usage("the latent factor {} is named twice", which[i]);
  }
}

/// Draws of the rest for each draw of `which`: one when nothing is left to draw.
std::int64_t inner_draws(const Factors& which, std::int64_t latents, const FlowOptions& options) {
  return static_cast<std::int64_t>(which.size()) == latents ? 1 : options.inner;
}

void check_samples(const Factors& which, std::int64_t latents, const FlowOptions& options) {
  const bool rest_to_draw = static_cast<std::int64_t>(which.size()) < latents;
  if (options.outer < 2 || (rest_to_draw && options.inner < 2))
    fail_usage("{}x{} samples are too few for the information flow; it needs at least 2x2", options.outer,
               options.inner);
}

/// A decoder and a classifier with the number of samples they take at once.
struct Models {
  Models(const models::Decoder& decoder_, const models::Classifier& classifier_, const FlowOptions& options)
      : decoder(decoder_),
        classifier(classifier_),
        batch(samples_within(decoder_, classifier_, options.memory_bytes)) {}

  std::int64_t batches(std::int64_t rows) const { return (rows + batch - 1) / batch; }

  const models::Decoder& decoder;
  const models::Classifier& classifier;
  std::int64_t batch;
};

FlowValue flow_of(const Models& models, const Factors& which, const FlowOptions& options,
                  at::Generator& generator, const std::function<void()>& after_batch) {
  if (which.empty()) return {};
  const std::int64_t latents = models.decoder.latents();
  const std::int64_t inner = inner_draws(which, latents, options);
  const Estimator& estimator = options.estimator;
  const at::Tensor z = draw_latents(latents, which, options.outer, inner, estimator.sampling,
                                    estimator.outer_draws, generator);
  std::vector<at::Tensor> parts;
  for_batches(z.size(0), models.batch, [&](std::int64_t first, std::int64_t count) {
    parts.push_back(probabilities_of(models.classifier, models.decoder.decode(z.narrow(0, first, count))));
    after_batch();
  });
  return estimate_flow(at::cat(parts).view({options.outer, inner, -1}), estimator);
}

}  // namespace

FlowValue information_flow(const models::Decoder& decoder, const models::Classifier& classifier,
                           const Factors& which, const FlowOptions& options, at::Generator& generator) {
  check_factors(which, decoder.latents());
  if (which.empty()) return {};
  check_samples(which, decoder.latents(), options);
  const at::NoGradGuard no_grad;
  return flow_of(Models(decoder, classifier, options), which, options, generator, [] {});
}

FlowReport measure_flow(const models::Decoder& decoder, const models::Classifier& classifier,
                        std::int64_t causal, const FlowOptions& options, std::uint64_t seed,
                        const ProgressCallback& progress) {
  const std::int64_t latents = decoder.latents();
  if (causal < 1 || causal > latents)
    fail_usage("{} causal factors do not fit a decoder of {} latents; give 1 to {}", causal, latents,
               latents);
  for (std::int64_t i = 0; i < latents; ++i) check_samples({i}, latents, options);

  const at::NoGradGuard no_grad;
  const Models models(decoder, classifier, options);
  const std::vector<std::string> names = factor_names(causal, latents);
  const Factors alpha = range(0, causal), beta = range(causal, latents);
  // A set of one factor is that factor: it is not measured twice.
  const auto is_measured = [](const Factors& set) { return set.size() > 1; };

  Progress reading{.stage = "information flow", .step = 0, .total = 0, .values = {}};
  const auto batches = [&](const Factors& set) {
    return models.batches(options.outer * inner_draws(set, latents, options));
  };
  for (const Factors& set : {alpha, beta}) reading.total += is_measured(set) ? batches(set) : 0;
  for (std::int64_t i = 0; i < latents; ++i) reading.total += batches({i});

  const auto measure = [&](const std::string& name, const Factors& set) {
    at::Generator generator = make_generator(seed, "flow/" + name);
    return flow_of(models, set, options, generator, [&] {
      ++reading.step;
      if (progress) progress(reading);
    });
  };
  FlowReport report{.alpha = {}, .beta = {}, .factors = {}, .outer = options.outer, .inner = options.inner};
  for (std::int64_t i = 0; i < latents; ++i) {
    const std::string& name = names[static_cast<std::size_t>(i)];
    report.factors.push_back({name, i < causal, measure(name, {i})});
  }
  report.alpha = is_measured(alpha) ? measure("alpha", alpha) : report.factors.front().flow;
  if (!beta.empty()) report.beta = is_measured(beta) ? measure("beta", beta) : report.factors.back().flow;
  return report;
}

nlohmann::json to_json(const FlowValue& flow) { return {{"nats", flow.nats}, {"se", flow.se}}; }
void from_json(const nlohmann::json& json, FlowValue& flow) {
  json.at("nats").get_to(flow.nats);
  json.at("se").get_to(flow.se);
}

nlohmann::json to_json(const FlowReport& report) {
  nlohmann::json factors = nlohmann::json::array();
  for (const FactorFlow& factor : report.factors) {
    nlohmann::json entry = to_json(factor.flow);
    entry["name"] = factor.name;
    entry["causal"] = factor.causal;
    factors.push_back(std::move(entry));
  }
  return {{"alpha", to_json(report.alpha)},
          {"beta", to_json(report.beta)},
          {"factors", std::move(factors)},
          {"samples", {report.outer, report.inner}}};
}

std::vector<std::string> factor_names(std::int64_t causal, std::int64_t latents) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < latents; ++i)
    names.push_back(i < causal ? fmt::format("alpha_{}", i + 1) : fmt::format("beta_{}", i - causal + 1));
  return names;
}

}  // namespace whence::gce
