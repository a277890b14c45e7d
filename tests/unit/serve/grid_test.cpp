// Which test images fit a question, and what is no question.
#include "serve/grid.h"

#include <map>
#include <nlohmann/json.hpp>

#include "unit/serve/support.h"

namespace whence::serve {
namespace {

Parameter given(const std::map<std::string, std::string>& parameters) {
  return [parameters](const char* name) -> std::optional<std::string> {
    const auto found = parameters.find(name);
    if (found == parameters.end()) return {};
    return found->second;
  };
}

class Grid : public ::testing::Test {
 protected:
  std::vector<std::int64_t> rows(const std::map<std::string, std::string>& parameters) const {
    const nlohmann::json all = grid(subject_, answers_, nullptr, given(parameters));
    std::vector<std::int64_t> found;
    for (const auto& row : all.at("rows")) found.push_back(row.at("row"));
    return found;
  }
  std::string refusal(const std::map<std::string, std::string>& parameters) const {
    try {
      grid(subject_, answers_, nullptr, given(parameters));
      return "";
    } catch (const BadRequest& error) {
      return error.what();
    }
  }

  const Subject subject_ = test::halves();
  const Answers answers_ = answers_of(subject_);
};

TEST_F(Grid, HasTheClassifiersAnswers) {
  const nlohmann::json all = grid(subject_, answers_, nullptr, given({}));
  EXPECT_EQ(all.at("total"), 12);
  const nlohmann::json& third = all.at("rows").at(2);
  EXPECT_EQ(third.at("label"), 0);
  EXPECT_EQ(third.at("answer"), 0);
  const double logit = 10 * 4 * 60 / 255.0;  // four pixels of brightness 60
  EXPECT_NEAR(third.at("confidence").get<double>(), 1 / (1 + std::exp(-logit)), 1e-6);
  EXPECT_EQ(answers_.accuracy(), 0.5);
}

TEST_F(Grid, FiltersAndOrders) {
  EXPECT_EQ(rows({{"label", "1"}}), (std::vector<std::int64_t>{1, 3, 5, 7, 9, 11}));
  EXPECT_EQ(rows({{"right", "no"}, {"count", "2"}, {"first", "1"}}), (std::vector<std::int64_t>{3, 5}));
  EXPECT_EQ(rows({{"answer", "1"}}), std::vector<std::int64_t>{});
  EXPECT_EQ(rows({{"order", "rising"}, {"count", "2"}}), (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(rows({{"most", "0.97"}}), std::vector<std::int64_t>{0});
  EXPECT_EQ(rows({{"least", "0.97"}, {"count", "1"}}), std::vector<std::int64_t>{1});
}

TEST_F(Grid, ComparesTwo) {
  Answers other = answers_;
  other.classes[4] = 1;
  const nlohmann::json found = grid(subject_, answers_, &other, given({{"differ", "yes"}}));
  ASSERT_EQ(found.at("total"), 1);
  EXPECT_EQ(found.at("rows").at(0).at("row"), 4);
  EXPECT_EQ(found.at("rows").at(0).at("other"), 1);
}

TEST_F(Grid, WhatIsNoQuestionIsSaid) {
  for (const auto& [name, value] : std::map<std::string, std::string>{{"label", "2"},
                                                                      {"answer", "x"},
                                                                      {"right", "maybe"},
                                                                      {"least", "nan"},
                                                                      {"most", "1e9"},
                                                                      {"order", ""},
                                                                      {"first", "-1"},
                                                                      {"count", "99999999999999999999"},
                                                                      {"differ", "yes"}})
    EXPECT_NE(refusal({{name, value}}), "") << name;
  const Parameter rows = given({{"rows", "1,,2"}});
  EXPECT_THROW(integers(rows, "rows", 11, 500), BadRequest);
  EXPECT_THROW(integers(given({{"rows", "1,12"}}), "rows", 11, 500), BadRequest);
  EXPECT_THROW(integers(given({{"rows", "1,2,3"}}), "rows", 11, 2), BadRequest);
  EXPECT_EQ(pixels_of(subject_, {0, 11}).size(), 16u);
}

}  // namespace
}  // namespace whence::serve
