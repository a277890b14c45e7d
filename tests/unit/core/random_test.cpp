#include "whence/core/random.h"

#include <gtest/gtest.h>

#include <set>

#include "support/errors.h"

namespace whence {
namespace {

Tensor normals(Generator generator, std::int64_t count = 1000) { return at::randn({count}, generator); }

/// The expected words come from a transcription in Python: 624 SplitMix64 words given to numpy's MT19937.
TEST(MakeGenerator, DrawsTheWordsOfTheWrittenDefinition) {
  struct Case {
    std::uint64_t seed;
    const char* stream;
    std::vector<std::int64_t> words;
  };
  const std::vector<Case> cases = {
      {7, "gce/batches", {4219756273, 4010943954, 2618848671, 1557009594}},
      {7, "gce/alpha", {657990977, 2385358973, 3269179962, 1096325590}},
      {(std::uint64_t{1} << 63) + 5, "gce/batches", {1284941862, 752011522, 2757212066, 2026350160}},
  };
  // Below 2^28 every LibTorch takes one word a number.
  constexpr std::int64_t range = std::int64_t{1} << 27;
  for (const auto& [seed, stream, words] : cases) {
    Generator generator = make_generator(seed, stream);
    const Tensor drawn = at::randint(range, {4}, generator, at::TensorOptions(at::kLong));
    for (std::int64_t i = 0; i < 4; ++i) {
      EXPECT_EQ(drawn[i].item<std::int64_t>(), words[static_cast<std::size_t>(i)] % range)
          << stream << ' ' << i;
    }
  }
}

TEST(MakeGenerator, DoesNotDependOnWhatElseIsDrawn) {
  const Tensor alone = normals(make_generator(3, "a"));
  Generator other = make_generator(3, "b");
  normals(other);
  Generator again = make_generator(3, "a");
  normals(other);
  EXPECT_TRUE(at::equal(normals(again), alone));
}

TEST(MakeGenerator, LeavesTheGlobalGeneratorAlone) {
  const Tensor before = at::globalContext().defaultGenerator(at::kCPU).get_state().clone();
  normals(make_generator(3, "a"));
  EXPECT_TRUE(at::equal(at::globalContext().defaultGenerator(at::kCPU).get_state(), before));
}

TEST(MakeGenerator, GivesUnrelatedStreamsForNeighbouringNamesAndSeeds) {
  constexpr std::int64_t count = 20'000;
  std::vector<Tensor> streams;
  for (const std::uint64_t seed : {0, 1, 2}) {
    for (const char* name : {"", "a", "b", "ab", "ba"})
      streams.push_back(normals(make_generator(seed, name), count));
  }
  for (std::uint64_t high = 1; high <= 4; ++high)
    streams.push_back(normals(make_generator(high << 32, "a"), count));
  const Tensor all = at::stack(streams);
  const Tensor correlation = all.matmul(all.t()) / static_cast<double>(count);
  const Tensor off_diagonal = (correlation - at::eye(correlation.size(0))).abs();
  EXPECT_LT(off_diagonal.max().item<double>(), 5.5 / std::sqrt(static_cast<double>(count)));
}

TEST(MakeGenerator, DrawsStandardNormals) {
  constexpr std::int64_t count = 200'000;
  const Tensor draws = normals(make_generator(11, "moments"), count).to(at::kDouble);
  const double tolerance = 5 / std::sqrt(static_cast<double>(count));
  EXPECT_NEAR(draws.mean().item<double>(), 0, tolerance);
  EXPECT_NEAR(draws.pow(2).mean().item<double>(), 1, std::sqrt(2.0) * tolerance);
  EXPECT_NEAR(draws.pow(4).mean().item<double>(), 3, std::sqrt(96.0) * tolerance);
}

TEST(GeneratorState, ResumesInTheMiddle) {
  for (const std::int64_t drawn : {0, 1, 3, 7, 16, 1001}) {
    Generator generator = make_generator(5, "state");
    normals(generator, drawn);
    const Tensor state = generator_state(generator);
    EXPECT_EQ(state.scalar_type(), at::kByte);
    const Tensor expected = normals(generator, 37);
    Generator other = make_generator(99, "else");
    normals(other, 5);
    restore_generator(other, state);
    EXPECT_TRUE(at::equal(normals(other, 37), expected)) << drawn;
  }
}

TEST(GeneratorState, RefusesADamagedOne) {
  Generator generator = make_generator(5, "state");
  const Tensor state = generator_state(generator);
  const auto refuses = [&](const Tensor& bad) {
    test::expect_error([&] { restore_generator(generator, bad); }, {"state of a random stream is damaged"});
  };
  refuses({});
  refuses(state.narrow(0, 0, state.numel() - 1));
  refuses(state.to(at::kFloat));
  refuses(at::full_like(state, 0xff));
  EXPECT_TRUE(at::equal(generator_state(generator), state)) << "a refused state leaves the stream as it was";
}

}  // namespace
}  // namespace whence
