// What influence maps cost: all channels of the first convolution of a decoder of 64 x 64 images with the channels of Besserve et
// al. 2020 (table 1: 64, 64, 32, 16, 3), with random weights. A hybrid costs what it costs whatever the numbers are.
#include <CLI/CLI.hpp>
#include <chrono>
#include <ctime>
#include <iostream>

#include "cli/fast_start.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/explain/modularity/influence.h"
#include "whence/platform/machine.h"

namespace whence::bench {
namespace {

nn::Network decoder_of(const std::string& way) {
  nn::Network network("decoder", {128});
  network.add("fc", nn::Linear{64 * 8 * 8});
  network.add("reshape", nn::Reshape{{64, 8, 8}});
  int number = 0;
  for (const std::int64_t channels : {64, 32, 16, 3}) {
    const bool grows = number > 0;
    const auto name = [&](const char* kind) { return fmt::format("{}{}", kind, number); };
    ++number;
    if (way == "upsampled") {
      if (grows) network.add(name("up"), nn::UpsampleNearest2d{2});
      network.add(name("conv"), nn::Conv2d{channels, 3, 1, 1});
    } else if (grows) {
      network.add(name("conv"), nn::ConvTranspose2d{channels, 4, 2, 1});
    } else {
      network.add(name("conv"), nn::Conv2d{channels, 3, 1, 1});
    }
    if (channels == 3) break;
    network.add(name("norm"), nn::BatchNorm2d{});
    network.add(name("relu"), nn::Relu{});
  }
  network.add("sigmoid", nn::Sigmoid{});
  Generator generator = make_generator(0, "bench/modules");
  nn::initialise(network, {.keeps_size = true}, generator);
  return network;
}

struct Cost {
  double seconds = 0, processor = 0;  ///< all threads together
};
Cost cost_of(const std::function<void()>& work) {
  const auto begun = std::chrono::steady_clock::now();
  const std::clock_t used = std::clock();
  work();
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count(),
          static_cast<double>(std::clock() - used) / CLOCKS_PER_SEC};
}

void measure(const std::string& way, std::int64_t pairs, int times,
             const modularity::InfluenceOptions& options) {
  const nn::Network network = decoder_of(way);
  Generator generator = make_generator(0, "bench/pairs");
  const modularity::Pairs codes = modularity::draw_pairs(modularity::from_prior(128), pairs, generator);
  at::Tensor exact;
  for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
    const modularity::Cut cut(network, "", precision);
    Cost least{std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
    at::Tensor maps;
    for (int i = 0; i < times; ++i) {
      const Cost cost = cost_of([&] { maps = modularity::influence_maps(cut, codes, options).all(); });
      least = {std::min(least.seconds, cost.seconds), std::min(least.processor, cost.processor)};
    }
    if (!exact.defined()) exact = maps;
    std::cout << fmt::format(
        "{:<11} {:<9} {} channels, {} pairs: {:6.2f} s, {:6.2f} s of processors, {:.3f} ms of one a hybrid; "
        "maps "
        "differ by {:.1e}\n",
        way, name_of(precision), cut.channels(), pairs, least.seconds, least.processor,
        1e3 * least.processor / static_cast<double>(cut.channels() * pairs),
        ((maps - exact).norm() / exact.norm()).item<double>());
  }
}

}  // namespace
}  // namespace whence::bench

int main(int count, char** arguments) {
  whence::cli::start_with_fast_libraries();
  whence::keep_freed_memory();
  CLI::App program("What influence maps cost");
  std::int64_t pairs = 512;
  int threads = 2, times = 3;
  program.add_option("--pairs", pairs)->capture_default_str();
  program.add_option("--threads", threads)->capture_default_str();
  whence::modularity::InfluenceOptions options;
  program.add_option("--memory", options.memory_bytes, "Budget of a batch, in bytes")->capture_default_str();
  program.add_option("--times", times, "The least of so many is printed")->capture_default_str();
  CLI11_PARSE(program, count, arguments);
  whence::use_threads(threads);
  for (const char* way : {"transposed", "upsampled"}) whence::bench::measure(way, pairs, times, options);
}
