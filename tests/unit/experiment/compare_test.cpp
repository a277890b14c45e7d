#include "experiment/compare.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace whence::experiment {
namespace {

TEST(NamesApart, SayWhatDiffersAndNothingElse) {
  const nlohmann::json first = {
      {"explanation.lambda", 0.5}, {"explanation.causal", 1}, {"data.set", "mnist"}};
  nlohmann::json second = first, third = first;
  second["explanation.lambda"] = 0.05;
  third["explanation.lambda"] = 0.275;
  EXPECT_EQ(names_apart({first, second, third}, {"a", "b", "c"}),
            (std::vector<std::string>{"lambda = 0.5", "lambda = 0.05", "lambda = 0.275"}));
  second["explanation.causal"] = 2;
  EXPECT_EQ(names_apart({first, second}, {"a", "b"}),
            (std::vector<std::string>{"causal = 1, lambda = 0.5", "causal = 2, lambda = 0.05"}));
  EXPECT_EQ(names_apart({first, first}, {"a", "b"}), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(names_apart({first}, {"a"}), std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace whence::experiment
