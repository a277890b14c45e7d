// The search of a report's page against the library's: tests/web/check_counterfactuals.js runs it in Node.
#include <gtest/gtest.h>

#include <fstream>

#include "interchange/page_network.h"
#include "support/files.h"
#include "support/python.h"
#include "whence/core/random.h"
#include "whence/explain/counterfactual/counterfactual.h"

namespace whence::nn {
namespace {

using nlohmann::json;

constexpr std::int64_t kLatents = 5, kSide = 3, kCodes = 12;

Network random_decoder(at::Generator& generator) {
  Network network("decoder", {kLatents});
  network.add("fc1", Linear{16});
  network.add("tanh", Tanh{});
  network.add("fc2", Linear{kSide * kSide});
  network.add("image", Reshape{{1, kSide, kSide}});
  initialise(network, {}, generator);
  return network;
}

Network random_classifier(at::Generator& generator) {
  Network network("classifier", {1, kSide, kSide});
  network.add("flat", Flatten{});
  network.add("fc1", Linear{12});
  network.add("relu", Relu{});
  network.add("fc2", Linear{3});
  initialise(network, {}, generator);
  // Fresh weights hardly answer to their input.
  const at::NoGradGuard no_grad;
  for (const NamedTensor& each : network.state()) each.tensor.mul_(3);
  return network;
}

json test_of(std::int64_t causal, std::int64_t to, at::Generator& generator) {
  const Network decoder = random_decoder(generator), classifier = random_classifier(generator);
  std::string bytes;
  const auto decodes = page_network(decoder, PageWeights::halves, bytes),
             classifies = page_network(classifier, PageWeights::halves, bytes);
  const at::Tensor codes = at::randn({kCodes, kLatents}, generator);
  counterfactual::CounterfactualOptions options;
  if (to >= 0) options.to = to;
  const auto found = counterfactual::find_counterfactuals(*models::as_decoder(decodes->rounded),
                                                          *models::as_classifier(classifies->rounded), codes,
                                                          causal, options);
  json test = {{"name", fmt::format("{} causal factors, to {}", causal, to)},
               {"causal", causal},
               {"to", to},
               {"decoder", decodes->layers},
               {"classifier", classifies->layers},
               {"longer", causal == 1 ? 0.0 : 0.1},  // for more than one, both find local minima
               {"misses", causal > 2 ? 2 : 0}};      // beyond two, each has random rays of its own
  for (const char byte : bytes) test["weights"].push_back(static_cast<unsigned char>(byte));
  for (std::int64_t i = 0; i < kCodes; ++i) {
    const at::Tensor code = codes[i].contiguous();
    test["codes"].push_back(std::vector<float>(code.data_ptr<float>(), code.data_ptr<float>() + kLatents));
    const bool any = found.found[i].item<bool>(), already = found.already[i].item<bool>();
    test["distances"].push_back(already ? json(0.0) : any ? json(found.distance[i].item<double>()) : json());
  }
  return test;
}

TEST(PageCounterfactuals, AreAsShortAsThoseOfTheLibrary) {
  if (test::run_program({"node", "--version"}).exit_code != 0) GTEST_SKIP() << "no Node.js here";
  Generator generator = make_generator(0, "test");
  json tests = json::array();
  for (const std::int64_t causal : {1, 2, 4})
    for (const std::int64_t to : {-1, 1}) tests.push_back(test_of(causal, to, generator));
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "tests.json";
  std::ofstream(file) << tests.dump();
  const auto root = test::tests_folder().parent_path();
  const test::ProgramResult result =
      test::run_program({"node", root / "tests/web/check_counterfactuals.js", file, root / "web/network.js",
                         root / "web/counterfactual.js"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

}  // namespace
}  // namespace whence::nn
