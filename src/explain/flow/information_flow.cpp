#include "whence/explain/flow/information_flow.h"

#include <numeric>

#include "explain/flow/classify.h"
#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::flow {
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

using AfterBatch = std::function<void()>;

/// What the classifier answers to decoded `codes`, (codes, classes).
at::Tensor answers(const Models& models, const at::Tensor& codes, const AfterBatch& after_batch) {
  std::vector<at::Tensor> parts;
  for_batches(codes.size(0), models.batch, [&](std::int64_t first, std::int64_t count) {
    parts.push_back(
        probabilities_of(models.classifier, models.decoder.decode(codes.narrow(0, first, count))));
    after_batch();
  });
  return at::cat(parts);
}

/// Counts batches, and tells of each.
class BatchCount {
 public:
  explicit BatchCount(const ProgressCallback& progress) : progress_(progress) {}

  void expect(std::int64_t batches) { reading_.total += batches; }
  void operator()() {
    ++reading_.step;
    if (progress_) progress_(reading_);
  }

 private:
  const ProgressCallback& progress_;
  Progress reading_{.stage = "information flow", .step = 0, .total = 0, .values = {}};
};

FlowValue flow_of(const Models& models, const Factors& which, const FlowOptions& options,
                  at::Generator& generator, const AfterBatch& after_batch) {
  if (which.empty()) return {};
  const std::int64_t latents = models.decoder.latents();
  const std::int64_t inner = inner_draws(which, latents, options);
  const Estimator& estimator = options.estimator;
  const at::Tensor codes =
      draw_latents(latents, which, options.outer, inner, estimator.sampling, estimator.outer_draws, generator)
          .to(models.decoder.device());
  return estimate_flow(answers(models, codes, after_batch).view({options.outer, inner, -1}), estimator);
}

std::vector<FlowValue> flows_of_shared_draws(const Models& models, const FlowOptions& options,
                                             std::uint64_t seed, const AfterBatch& after_batch) {
  const Estimator estimator{Sampling::nested, Placement::stratified, options.estimator.correction};
  at::Generator generator = make_generator(seed, "flow/shared");
  const at::Tensor codes = latin_hypercube(options.outer * options.inner, models.decoder.latents(), generator)
                               .to(models.decoder.device());
  const at::Tensor probabilities = answers(models, codes, after_batch);
  std::vector<FlowValue> flows;
  for (const at::Tensor& values : codes.unbind(1)) {
    const at::Tensor cells = probabilities.index_select(0, values.argsort());
    flows.push_back(estimate_flow(cells.view({options.outer, options.inner, -1}), estimator));
  }
  return flows;
}

/// The sets of factors of a report, and what is measured of them.
class Measurement {
 public:
  Measurement(const Models& models, std::int64_t causal, const FlowOptions& options, std::uint64_t seed,
              const ProgressCallback& progress)
      : models_(models),
        options_(options),
        seed_(seed),
        count_(progress),
        alpha_(range(0, causal)),
        beta_(range(causal, models.decoder.latents())) {
    const std::int64_t latents = models.decoder.latents();
    const auto batches = [&](const Factors& set) {
      return models_.batches(options.outer * inner_draws(set, latents, options));
    };
    for (const Factors& set : {alpha_, beta_}) count_.expect(is_measured(set) ? batches(set) : 0);
    count_.expect(shared() ? models_.batches(options.outer * options.inner) : latents * batches({0}));
  }

  FlowReport report() {
    const auto names = factor_names(size_of(alpha_), models_.decoder.latents());
    std::vector<FlowValue> singles =
        shared() ? flows_of_shared_draws(models_, options_, seed_, std::ref(count_)) : with_own_draws(names);
    const auto of_set = [&](const std::string& name, const Factors& set, FlowValue& single) {
      const FlowValue flow = is_measured(set) || set.empty() ? measure(name, set) : single;
      if (set.size() == 1) single = flow;
      return flow;
    };
    FlowReport report{.alpha = of_set("alpha", alpha_, singles.front()),
                      .beta = of_set("beta", beta_, singles.back()),
                      .factors = {},
                      .outer = options_.outer,
                      .inner = options_.inner,
                      .draws = options_.factors};
    for (std::size_t i = 0; i < singles.size(); ++i)
      report.factors.push_back({names[i], i < alpha_.size(), singles[i]});
    return report;
  }

 private:
  static std::int64_t size_of(const Factors& set) { return static_cast<std::int64_t>(set.size()); }
  bool shared() const { return options_.factors == FactorDraws::shared; }
  /// By itself: a set of one factor is that factor, which has been measured where factors have draws of their own.
  bool is_measured(const Factors& set) const { return set.size() > (shared() ? 0U : 1U); }

  FlowValue measure(const std::string& name, const Factors& set) {
    at::Generator generator = make_generator(seed_, "flow/" + name);
    return flow_of(models_, set, options_, generator, std::ref(count_));
  }

  std::vector<FlowValue> with_own_draws(const std::vector<std::string>& names) {
    std::vector<FlowValue> flows;
    for (std::size_t i = 0; i < names.size(); ++i)
      flows.push_back(measure(names[i], {static_cast<std::int64_t>(i)}));
    return flows;
  }

  const Models& models_;
  const FlowOptions& options_;
  std::uint64_t seed_;
  BatchCount count_;
  Factors alpha_, beta_;
};

void check_shared_draws(const FlowOptions& options) {
  if (options.estimator.correction == Correction::jackknife)
    fail_usage(
        "the jackknife leaves out one independent draw at a time; factors that share draws need 'delta' or "
        "'none'");
}

}  // namespace

FlowValue information_flow(const models::Decoder& decoder, const models::Classifier& classifier,
                           const Factors& which, const FlowOptions& options, at::Generator& generator,
                           const ProgressCallback& progress) {
  check_factors(which, decoder.latents());
  if (which.empty()) return {};
  check_samples(which, decoder.latents(), options);
  const at::NoGradGuard no_grad;
  const Models models(decoder, classifier, options);
  BatchCount count(progress);
  count.expect(models.batches(options.outer * inner_draws(which, decoder.latents(), options)));
  return flow_of(models, which, options, generator, std::ref(count));
}

std::vector<FlowValue> shared_flows(const models::Decoder& decoder, const models::Classifier& classifier,
                                    const FlowOptions& options, std::uint64_t seed) {
  check_samples({0}, decoder.latents(), options);
  check_shared_draws(options);
  const at::NoGradGuard no_grad;
  return flows_of_shared_draws(Models(decoder, classifier, options), options, seed, [] {});
}

FlowReport measure_flow(const models::Decoder& decoder, const models::Classifier& classifier,
                        std::int64_t causal, const FlowOptions& options, std::uint64_t seed,
                        const ProgressCallback& progress) {
  const std::int64_t latents = decoder.latents();
  if (causal < 1 || causal > latents)
    fail_usage("{} causal factors do not fit a decoder of {} latents; give 1 to {}", causal, latents,
               latents);
  for (std::int64_t i = 0; i < latents; ++i) check_samples({i}, latents, options);
  if (options.factors == FactorDraws::shared) check_shared_draws(options);

  const at::NoGradGuard no_grad;
  const Models models(decoder, classifier, options);
  return Measurement(models, causal, options, seed, progress).report();
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
          {"samples", {report.outer, report.inner}},
          {"factor_draws", name_of(report.draws)}};
}

std::string_view name_of(FactorDraws draws) { return draws == FactorDraws::own ? "own" : "shared"; }

std::vector<std::string> factor_names(std::int64_t causal, std::int64_t latents) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < latents; ++i)
    names.push_back(i < causal ? fmt::format("alpha_{}", i + 1) : fmt::format("beta_{}", i - causal + 1));
  return names;
}

}  // namespace whence::flow
