#include "whence/explain/flow/information_flow.h"

#include <gtest/gtest.h>

#include "unit/gce/toy_models.h"
#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::flow {
namespace {

FlowOptions small(std::int64_t outer = 30, std::int64_t inner = 20) {
  FlowOptions options;
  options.outer = outer;
  options.inner = inner;
  return options;
}

const toy::Decoder kDecoder;

FlowReport measure(const FlowOptions& options, std::uint64_t seed = 1, std::int64_t causal = 2,
                   const ProgressCallback& progress = {}) {
  return measure_flow(kDecoder, toy::first_pixel(1.5), causal, options, seed, progress);
}

ExitCode code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return ExitCode::done;
}

TEST(MeasureFlow, FindsTheFactorThatMovesTheClassifier) {
  FlowOptions options = small(300, 50);
  const FlowReport report = measure(options);
  ASSERT_EQ(report.factors.size(), 3U);
  EXPECT_EQ(report.factors[0].name, "alpha_1");
  EXPECT_EQ(report.factors[1].name, "alpha_2");
  EXPECT_EQ(report.factors[2].name, "beta_1");
  EXPECT_TRUE(report.factors[1].causal);
  EXPECT_FALSE(report.factors[2].causal);
  EXPECT_GT(report.factors[0].flow.nats, 0.1);
  EXPECT_LT(std::abs(report.factors[1].flow.nats), 0.003);
  EXPECT_LT(std::abs(report.factors[2].flow.nats), 0.003);
  EXPECT_NEAR(report.alpha.nats, report.factors[0].flow.nats,
              3.5 * std::hypot(report.alpha.se, report.factors[0].flow.se));
}

TEST(MeasureFlow, MeasuresASingleFactorOnce) {
  const FlowReport report = measure(small(), 1, 2);
  EXPECT_EQ(report.beta.nats, report.factors[2].flow.nats);
  EXPECT_EQ(report.beta.se, report.factors[2].flow.se);
}

FlowOptions shared(FlowOptions options) {
  options.factors = FactorDraws::shared;
  return options;
}

TEST(MeasureFlow, OfSharedDrawsLeavesTheSetsAsTheyAreAndAgreesOnTheFactors) {
  const FlowReport own = measure(small(300, 60)), sharing = measure(shared(small(300, 60)));
  EXPECT_EQ(sharing.alpha.nats, own.alpha.nats);
  EXPECT_EQ(sharing.draws, FactorDraws::shared);
  ASSERT_EQ(sharing.factors.size(), 3U);
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_NEAR(sharing.factors[i].flow.nats, own.factors[i].flow.nats,
                3.5 * std::hypot(sharing.factors[i].flow.se, own.factors[i].flow.se) + 1e-4);
  EXPECT_GT(sharing.factors[0].flow.nats, 0.1);
  EXPECT_EQ(sharing.factors[2].flow.nats, sharing.beta.nats) << "beta has one factor, with draws of its own";
}

TEST(MeasureFlow, OfSharedDrawsCostsOneFactorForAll) {
  const auto passes = [](FlowOptions options) {
    options.memory_bytes = 50'000;
    std::int64_t batches = 0, announced = 0;
    measure(options, 1, 2, [&](const Progress& progress) {
      ++batches;
      announced = progress.total;
    });
    EXPECT_EQ(batches, announced);
    return batches;
  };
  const std::int64_t of_one = passes(small()) / 4;  // alpha and three factors
  EXPECT_EQ(passes(shared(small())), 3 * of_one);   // alpha, beta, and what the factors share
}

TEST(SharedFlows, AreTheFactorsOfAReport) {
  const FlowOptions options = shared(small(50, 20));
  const FlowReport report = measure(options);
  const std::vector<FlowValue> flows = shared_flows(kDecoder, toy::first_pixel(1.5), options, 1);
  ASSERT_EQ(flows.size(), report.factors.size());
  EXPECT_EQ(flows[0].nats, report.factors[0].flow.nats);
  EXPECT_EQ(flows[1].se, report.factors[1].flow.se);
  FlowOptions refused = small();
  refused.estimator.correction = Correction::jackknife;
  EXPECT_EQ(code_of([&] { shared_flows(kDecoder, toy::first_pixel(1.5), refused, 1); }), ExitCode::usage);
  EXPECT_EQ(code_of([&] { shared_flows(kDecoder, toy::first_pixel(1.5), small(1, 1), 1); }), ExitCode::usage);
}

TEST(MeasureFlow, RefusesTheJackknifeForSharedDraws) {
  FlowOptions options = shared(small());
  options.estimator = {Sampling::nested, Placement::independent, Correction::jackknife};
  EXPECT_EQ(code_of([&] { measure(options); }), ExitCode::usage);
}

TEST(MeasureFlow, RepeatsItselfForASeed) {
  EXPECT_EQ(to_json(measure(small(), 5)), to_json(measure(small(), 5)));
  EXPECT_NE(to_json(measure(small(), 5)), to_json(measure(small(), 6)));
}

TEST(MeasureFlow, DrawsEachFactorFromAStreamOfItsOwn) {
  EXPECT_EQ(measure(small(), 5, 2).factors[0].flow.nats, measure(small(), 5, 1).factors[0].flow.nats);
}

TEST(MeasureFlow, DoesNotDependOnTheBatchSize) {
  FlowOptions tight = small();
  tight.memory_bytes = 50'000;
  std::int64_t batches = 0, tight_batches = 0;
  const FlowReport wide = measure(small(), 5, 2, [&](const Progress&) { ++batches; });
  const FlowReport narrow = measure(tight, 5, 2, [&](const Progress&) { ++tight_batches; });
  EXPECT_GT(tight_batches, 10 * batches);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(wide.factors[i].flow.nats, narrow.factors[i].flow.nats, 1e-7);
    EXPECT_NEAR(wide.factors[i].flow.se, narrow.factors[i].flow.se, 1e-7);
  }
}

TEST(InformationFlow, ReportsEveryBatch) {
  FlowOptions options = small();
  options.memory_bytes = 50'000;
  Generator generator = make_generator(1, "test/flow");
  std::int64_t batches = 0, announced = 0;
  information_flow(kDecoder, toy::first_pixel(1.5), {0, 1}, options, generator,
                   [&](const Progress& progress) {
                     ++batches;
                     announced = progress.total;
                   });
  EXPECT_GT(batches, 1);
  EXPECT_EQ(batches, announced);
}

TEST(MeasureFlow, ReportsEveryBatchAndStopsWhenTheWatcherThrows) {
  FlowOptions options = small();
  options.memory_bytes = 600'000;
  std::vector<Progress> seen;
  measure(options, 1, 2, [&](const Progress& progress) { seen.push_back(progress); });
  ASSERT_GT(seen.size(), 4U);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].stage, "information flow");
    EXPECT_EQ(seen[i].step, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(seen[i].total, static_cast<std::int64_t>(seen.size()));
  }
  int calls = 0;
  const auto stop = [&](const Progress&) {
    if (++calls == 2) throw Error("stopped", ExitCode::interrupted);
  };
  EXPECT_EQ(code_of([&] { measure(options, 1, 2, stop); }), ExitCode::interrupted);
  EXPECT_EQ(calls, 2);
}

TEST(MeasureFlow, HandlesADecoderWithoutOtherFactors) {
  const FlowReport report = measure(small(2000, 2), 1, 3);
  EXPECT_EQ(report.beta.nats, 0);
  EXPECT_EQ(report.beta.se, 0);
  EXPECT_NEAR(report.alpha.nats, report.factors[0].flow.nats,
              3.5 * std::hypot(report.alpha.se, report.factors[0].flow.se));
}

TEST(MeasureFlow, WritesTheDocumentedJson) {
  const nlohmann::json json = to_json(measure(small()));
  EXPECT_EQ(json["samples"], (nlohmann::json{30, 20}));
  for (const char* set : {"alpha", "beta"})
    for (const char* key : {"nats", "se"}) EXPECT_TRUE(json[set][key].is_number()) << set << key;
  ASSERT_EQ(json["factors"].size(), 3U);
  EXPECT_EQ(json["factors"][2]["name"], "beta_1");
  EXPECT_EQ(json["factors"][2]["causal"], false);
  EXPECT_TRUE(json["factors"][0]["nats"].is_number());
}

TEST(InformationFlow, OfASharpThresholdIsLogTwo) {
  at::Generator generator = make_generator(1, "test");
  const FlowValue flow = information_flow(kDecoder, toy::first_pixel(1e6), {0}, small(4000, 2), generator);
  EXPECT_NEAR(flow.nats, std::log(2), 3e-3);
}

TEST(InformationFlow, OfNoFactorIsZero) {
  at::Generator generator = make_generator(1, "test");
  const FlowValue flow = information_flow(kDecoder, toy::first_pixel(), {}, small(), generator);
  EXPECT_EQ(flow.nats, 0);
  EXPECT_EQ(flow.se, 0);
}

TEST(InformationFlow, NeedsNoInnerDrawsForAllFactors) {
  at::Generator generator = make_generator(1, "test");
  std::int64_t classified = 0;
  const toy::Classifier counting([&](const at::Tensor& x) {
    classified += x.size(0);
    return toy::first_pixel(1.5).logits(x);
  });
  information_flow(kDecoder, counting, {2, 0, 1}, small(100, 50), generator);
  EXPECT_EQ(classified, 100);
}

TEST(InformationFlow, RecordsNoGradients) {
  at::Generator generator = make_generator(1, "test");
  bool recorded = false;
  const at::Tensor slope = at::ones({1}).requires_grad_(true);
  const toy::Classifier watched([&](const at::Tensor& x) {
    const at::Tensor logits = toy::first_pixel().logits(x) * slope;
    recorded = recorded || logits.requires_grad();
    return logits;
  });
  information_flow(kDecoder, watched, {0}, small(), generator);
  EXPECT_FALSE(recorded);
}

TEST(InformationFlow, RefusesWrongUse) {
  at::Generator generator = make_generator(1, "test");
  const toy::Classifier classifier = toy::first_pixel();
  const auto use = [&](const Factors& which, const FlowOptions& options) {
    return code_of([&] { information_flow(kDecoder, classifier, which, options, generator); });
  };
  EXPECT_EQ(use({3}, small()), ExitCode::usage);
  EXPECT_EQ(use({-1}, small()), ExitCode::usage);
  EXPECT_EQ(use({1, 1}, small()), ExitCode::usage);
  EXPECT_EQ(use({0}, small(1, 20)), ExitCode::usage);
  EXPECT_EQ(use({0}, small(20, 1)), ExitCode::usage);
  EXPECT_EQ(use({0, 1, 2}, small(20, 1)), ExitCode::done);
  for (const std::int64_t causal : {0, 4})
    EXPECT_EQ(code_of([&] { measure(small(), 1, causal); }), ExitCode::usage);
}

TEST(InformationFlow, SaysWhoReturnedNaN) {
  at::Generator generator = make_generator(1, "test");
  const auto sentence = [&](const models::Decoder& decoder, const models::Classifier& classifier) {
    try {
      information_flow(decoder, classifier, {0}, small(), generator);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const toy::Classifier broken([](const at::Tensor& x) { return at::full({x.size(0), 2}, NAN); });
  EXPECT_NE(sentence(kDecoder, broken).find("classifier returned NaN"), std::string::npos);

  class BrokenDecoder final : public models::Decoder {
    at::Tensor decode(const at::Tensor& z) const override { return at::full({z.size(0), 1, 1, 3}, NAN); }
    std::int64_t latents() const override { return 3; }
  };
  EXPECT_NE(sentence(BrokenDecoder(), toy::first_pixel()).find("decoder returned"), std::string::npos);
}

}  // namespace
}  // namespace whence::flow
