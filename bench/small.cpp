// The cost of small operations, by Google Benchmark: single layers forward and backward, the optimizer, the estimators.
#include <benchmark/benchmark.h>
#include <torch/csrc/autograd/autograd.h>

#include "cli/fast_start.h"
#include "whence/core/random.h"
#include "whence/explain/gce/objective.h"
#include "whence/nn/graph/network.h"
#include "whence/nn/training/optimizer.h"
#include "whence/platform/machine.h"

namespace whence::bench {
namespace {

constexpr std::int64_t kBatch = 32;

/// A layer of the recipe of Fashion-MNIST 0/3/4, or one as wide, or one of VGG-11 on CIFAR-10.
struct LayerCase {
  const char* name;
  nn::Shape input;
  nn::Op op;
};

const std::vector<LayerCase> kLayers = {
    {"conv 64->64 4x4 stride 2", {64, 14, 14}, nn::Conv2d{64, 4, 2, 1}},
    {"conv 32->64 3x3", {32, 26, 26}, nn::Conv2d{64, 3, 1, 0}},
    {"transposed 64->64 4x4 stride 2", {64, 7, 7}, nn::ConvTranspose2d{64, 4, 2, 1}},
    {"transposed 64->1 4x4 stride 2", {64, 14, 14}, nn::ConvTranspose2d{1, 4, 2, 1}},
    {"conv 256->256 3x3 at 8x8", {256, 8, 8}, nn::Conv2d{256, 3, 1, 1}},
    {"conv 512->512 3x3 at 4x4", {512, 4, 4}, nn::Conv2d{512, 3, 1, 1}},
    {"conv 512->512 3x3 at 2x2", {512, 2, 2}, nn::Conv2d{512, 3, 1, 1}},
};

/// A network of this layer and its input, which asks for a gradient.
struct Scene {
  Scene(const LayerCase& layer, Precision precision)
      : network("alone", layer.input), execution{.precision = precision, .training = true} {
    network.add("layer", layer.op);
    Generator generator = make_generator(0, "bench/small");
    nn::initialise(network, {}, generator);
    network.require_gradients(true);
    x = at::rand({kBatch, layer.input[0], layer.input[1], layer.input[2]}, generator)
            .contiguous(at::MemoryFormat::ChannelsLast)
            .to(precision == Precision::bfloat16 ? at::kBFloat16 : at::kFloat);
    x.requires_grad_();
  }

  nn::Network network;
  nn::Execution execution;
  at::Tensor x;
};

void forward(benchmark::State& state, const LayerCase& layer, Precision precision) {
  const at::NoGradGuard no_gradients;
  const Scene scene(layer, precision);
  for (auto _ : state) benchmark::DoNotOptimize(scene.network.forward(scene.x, scene.execution));
}

void backward(benchmark::State& state, const LayerCase& layer, Precision precision) {
  const Scene scene(layer, precision);
  std::vector<at::Tensor> sought = {scene.x};
  for (const nn::NamedTensor& parameter : scene.network.parameters()) sought.push_back(parameter.tensor);
  for (auto _ : state) {
    state.PauseTiming();
    const at::Tensor y = scene.network.forward(scene.x, scene.execution);
    const at::Tensor gradient = at::ones_like(y);
    state.ResumeTiming();
    benchmark::DoNotOptimize(torch::autograd::grad({y}, sought, {gradient}));
  }
}

void adam(benchmark::State& state) {
  nn::Network network("weights", {state.range(0)});
  network.add("layer", nn::Linear{1, /*bias=*/false});
  Generator generator = make_generator(0, "bench/small");
  nn::initialise(network, {}, generator);
  nn::Optimizer optimizer({&network}, nn::Adam{});
  const std::vector<std::vector<at::Tensor>> gradients = {{at::randn({1, state.range(0)}, generator)}};
  for (auto _ : state) {
    optimizer.set_gradients(gradients);
    optimizer.step(1e-3);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void information(benchmark::State& state, const flow::Estimator& estimator) {
  Generator generator = make_generator(0, "bench/small");
  const at::Tensor p = at::randn({state.range(0), state.range(1), 3}, generator).softmax(2);
  for (auto _ : state) benchmark::DoNotOptimize(flow::mutual_information(p, estimator));
}

void add_all(bool bfloat16) {
  std::vector<Precision> precisions = {Precision::float32};
  if (bfloat16) precisions.insert(precisions.begin(), Precision::bfloat16);
  for (const LayerCase& layer : kLayers) {
    for (const Precision precision : precisions) {
      const std::string name = fmt::format("{}, {}", layer.name, name_of(precision));
      benchmark::RegisterBenchmark((name + ", forward").c_str(), forward, layer, precision)->UseRealTime();
      benchmark::RegisterBenchmark((name + ", backward").c_str(), backward, layer, precision)->UseRealTime();
    }
  }
  benchmark::RegisterBenchmark("adam", adam)->Arg(1 << 18)->UseRealTime();
  for (const auto correction : {flow::Correction::none, flow::Correction::delta})
    benchmark::RegisterBenchmark(
        fmt::format("information, correction {}", gce::name_of(correction)).c_str(), information,
        flow::Estimator{flow::Sampling::nested, flow::Placement::stratified, correction})
        ->Args({16, 2})
        ->Args({200, 200});
}

}  // namespace
}  // namespace whence::bench

int main(int argc, char** argv) {
  whence::start_with_fast_libraries();
  whence::use_threads(1);
  whence::keep_freed_memory();
  whence::bench::add_all(whence::describe_machine().bfloat16);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
