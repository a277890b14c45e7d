#include "whence/explain/flow/information_flow.h"

#include <map>
#include <numeric>

#include "explain/flow/classify.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/explain/flow/parts.h"

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

at::Tensor shared_codes(std::int64_t latents, const FlowOptions& options, std::uint64_t seed) {
  at::Generator generator = make_generator(seed, "flow/shared");
  return latin_hypercube(options.outer * options.inner, latents, generator);
}

std::vector<FlowValue> flows_of_shared_answers(const at::Tensor& codes, const at::Tensor& probabilities,
                                               const FlowOptions& options) {
  const Estimator estimator{Sampling::nested, Placement::stratified, options.estimator.correction};
  std::vector<FlowValue> flows;
  for (const at::Tensor& values : codes.unbind(1)) {
    const at::Tensor cells = probabilities.index_select(0, values.argsort());
    flows.push_back(estimate_flow(cells.view({options.outer, options.inner, -1}), estimator));
  }
  return flows;
}

/// Draws that are decoded one after the other: of a set of factors, or those that all factors share.
struct DrawSet {
  std::string name;  ///< "alpha_1", "beta", "shared"
  Factors factors;   ///< empty: shared
  std::int64_t inner = 0;
};

bool shares(const FlowOptions& options) { return options.factors == FactorDraws::shared; }

/// By itself: a set of one factor is that factor, which is measured anyway where factors have draws of their own.
bool is_measured(const Factors& set, const FlowOptions& options) {
  return set.size() > (shares(options) ? 0U : 1U);
}

/// Of a report: the single factors, then alpha and beta where they need draws of their own.
std::vector<DrawSet> draw_sets(std::int64_t causal, std::int64_t latents, const FlowOptions& options) {
  std::vector<DrawSet> sets;
  const auto add = [&](const std::string& name, const Factors& factors) {
    sets.push_back({name, factors, inner_draws(factors, latents, options)});
  };
  const std::vector<std::string> names = factor_names(causal, latents);
  if (shares(options)) sets.push_back({"shared", {}, options.inner});
  for (std::size_t i = 0; i < names.size() && !shares(options); ++i)
    add(names[i], {static_cast<std::int64_t>(i)});
  const Factors alpha = range(0, causal), beta = range(causal, latents);
  if (is_measured(alpha, options)) add("alpha", alpha);
  if (is_measured(beta, options)) add("beta", beta);
  return sets;
}

at::Tensor codes_of(const DrawSet& set, std::int64_t latents, const FlowOptions& options,
                    std::uint64_t seed) {
  if (set.factors.empty()) return shared_codes(latents, options, seed);
  at::Generator generator = make_generator(seed, "flow/" + set.name);
  const Estimator& estimator = options.estimator;
  return draw_latents(latents, set.factors, options.outer, set.inner, estimator.sampling,
                      estimator.outer_draws, generator);
}

void check_shared_draws(const FlowOptions& options) {
  if (options.estimator.correction == Correction::jackknife)
    fail_usage(
        "the jackknife leaves out one independent draw at a time; factors that share draws need 'delta' or "
        "'none'");
}

void check_report(std::int64_t causal, std::int64_t latents, const FlowOptions& options) {
  if (causal < 1 || causal > latents)
    fail_usage("{} causal factors do not fit a decoder of {} latents; give 1 to {}", causal, latents,
               latents);
  for (std::int64_t i = 0; i < latents; ++i) check_samples({i}, latents, options);
  if (shares(options)) check_shared_draws(options);
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
  const at::Tensor codes = shared_codes(decoder.latents(), options, seed).to(decoder.device());
  return flows_of_shared_answers(codes, answers(Models(decoder, classifier, options), codes, [] {}), options);
}

std::int64_t flow_batches(const models::Decoder& decoder, const models::Classifier& classifier,
                          std::int64_t causal, const FlowOptions& options) {
  check_report(causal, decoder.latents(), options);
  const at::NoGradGuard no_grad;
  const Models models(decoder, classifier, options);
  std::int64_t batches = 0;
  for (const DrawSet& set : draw_sets(causal, decoder.latents(), options))
    batches += models.batches(options.outer * set.inner);
  return batches;
}

at::Tensor flow_answers(const models::Decoder& decoder, const models::Classifier& classifier,
                        std::int64_t causal, const FlowOptions& options, std::uint64_t seed,
                        std::int64_t first, std::int64_t count, const ProgressCallback& progress) {
  const std::int64_t latents = decoder.latents();
  check_report(causal, latents, options);
  const at::NoGradGuard no_grad;
  const Models models(decoder, classifier, options);
  BatchCount told(progress);
  told.expect(count);
  std::vector<at::Tensor> parts;
  std::int64_t passed = 0;  // batches of the sets before
  for (const DrawSet& set : draw_sets(causal, latents, options)) {
    const std::int64_t rows = options.outer * set.inner, batches = models.batches(rows);
    const std::int64_t begin = std::max<std::int64_t>(0, first - passed),
                       end = std::min(batches, first + count - passed);
    passed += batches;
    if (begin >= end) continue;
    const std::int64_t from = begin * models.batch, to = std::min(rows, end * models.batch);
    const at::Tensor codes = codes_of(set, latents, options, seed).narrow(0, from, to - from);
    parts.push_back(answers(models, codes.to(decoder.device()), std::ref(told)));
  }
  return at::cat(parts);
}

FlowReport flow_of_answers(const at::Tensor& answers, std::int64_t latents, std::int64_t causal,
                           const FlowOptions& options, std::uint64_t seed) {
  const at::NoGradGuard no_grad;
  std::map<std::string, FlowValue> flows;
  std::vector<FlowValue> singles;
  std::int64_t row = 0;
  const std::vector<std::string> names = factor_names(causal, latents);
  for (const DrawSet& set : draw_sets(causal, latents, options)) {
    const std::int64_t rows = options.outer * set.inner;
    const at::Tensor own = answers.narrow(0, row, rows);
    row += rows;
    if (set.factors.empty())
      singles = flows_of_shared_answers(shared_codes(latents, options, seed).to(own.device()), own, options);
    else
      flows[set.name] = estimate_flow(own.view({options.outer, set.inner, -1}), options.estimator);
  }
  TORCH_CHECK(row == answers.size(0), "answers to ", answers.size(0), " draws, not to ", row);
  if (singles.empty())
    for (const std::string& name : names) singles.push_back(flows.at(name));
  const auto of_set = [&](const std::string& name, const Factors& set, FlowValue& single) -> FlowValue {
    if (set.empty()) return {};
    if (!flows.contains(name)) return single;
    if (set.size() == 1) single = flows.at(name);
    return flows.at(name);
  };
  FlowReport report{.alpha = of_set("alpha", range(0, causal), singles.front()),
                    .beta = of_set("beta", range(causal, latents), singles.back()),
                    .factors = {},
                    .outer = options.outer,
                    .inner = options.inner,
                    .draws = options.factors};
  for (std::size_t i = 0; i < singles.size(); ++i)
    report.factors.push_back({names[i], static_cast<std::int64_t>(i) < causal, singles[i]});
  return report;
}

FlowReport measure_flow(const models::Decoder& decoder, const models::Classifier& classifier,
                        std::int64_t causal, const FlowOptions& options, std::uint64_t seed,
                        const ProgressCallback& progress) {
  const std::int64_t all = flow_batches(decoder, classifier, causal, options);
  return flow_of_answers(flow_answers(decoder, classifier, causal, options, seed, 0, all, progress),
                         decoder.latents(), causal, options, seed);
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
