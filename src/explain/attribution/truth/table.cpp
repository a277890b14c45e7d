// The table of problems. One more problem is one more row.
#include "explain/attribution/truth/problems.h"
#include "whence/core/error.h"
#include "whence/core/names.h"

namespace whence::attribution {
namespace {

using namespace truth;

constexpr std::string_view kClark = "Clark, Wilming and Haufe 2024";
constexpr double kGrey = 0.5;

/// A problem's baseline, for every method that has one, and single pixels as regions.
std::vector<OptionSetting> by_pixel(double baseline) {
  return {{"baseline", baseline},
          {"occlusion_window", 1},
          {"occlusion_stride", 1},
          {"shapley_sampling_patch", 1}};
}
/// Regions of a quarter of a cell.
std::vector<OptionSetting> by_region(double baseline, double side) {
  return {{"baseline", baseline},
          {"occlusion_window", side},
          {"occlusion_stride", side},
          {"shapley_sampling_patch", side}};
}

TruthProblem tetromino_problem(std::string_view name, std::string_view title, std::string_view meaning,
                               decltype(TruthProblem::make) make) {
  return {name, title, meaning, kClark, {"precision", "transport"}, by_pixel(kGrey), make};
}

std::vector<TruthProblem> tetromino_problems() {
  constexpr std::string_view linear =
      "A linear classifier tells a T at one place from an L at another. All eight pixels are true: the "
      "absence of one letter tells as much as the presence of the other.";
  constexpr std::string_view multiplicative =
      "Where the letter is, the background is weaker. The classifier has eight units for each pixel, and "
      "sums them up. All eight pixels of both places are true.";
  constexpr std::string_view rotated =
      "A small convolutional classifier tells T from L, which are turned and lie anywhere. The four pixels "
      "of the letter are true.";
  constexpr std::string_view exclusive =
      "Both letters are there, each brighter or darker than the background; the class is whether they are "
      "alike. The classifier has two hidden layers. All eight pixels are true.";
  return {
      tetromino_problem("linear", "T or L in white noise", linear,
                        tetrominoes<Shapes::linear, Background::white>),
      tetromino_problem("linear_corr", "T or L in correlated noise", linear,
                        tetrominoes<Shapes::linear, Background::correlated>),
      tetromino_problem("mult", "T or L as a factor of white noise", multiplicative,
                        tetrominoes<Shapes::multiplicative, Background::white>),
      tetromino_problem("mult_corr", "T or L as a factor of correlated noise", multiplicative,
                        tetrominoes<Shapes::multiplicative, Background::correlated>),
      tetromino_problem("rotated", "a turned T or L anywhere in white noise", rotated,
                        tetrominoes<Shapes::rotated, Background::white>),
      tetromino_problem("rotated_corr", "a turned T or L anywhere in correlated noise", rotated,
                        tetrominoes<Shapes::rotated, Background::correlated>),
      tetromino_problem("xor", "T and L, alike or not, in white noise", exclusive,
                        tetrominoes<Shapes::exclusive_or, Background::white>),
      tetromino_problem("xor_corr", "T and L, alike or not, in correlated noise", exclusive,
                        tetrominoes<Shapes::exclusive_or, Background::correlated>),
  };
}

std::vector<TruthProblem> other_problems() {
  return {
      {"interaction",
       "two pixels that act together",
       "The logit is relu(a + b - 1) of two pixels; the truth is their Shapley values from a black image, "
       "half of the logit each.",
       "",
       {"overlap"},
       by_pixel(0),
       interaction},
      {"cancellation",
       "a pixel that cancels out",
       "The logit is relu(a + b) - relu(b) = a: the pixel b is read twice and does nothing.",
       "",
       {"overlap"},
       by_pixel(0),
       cancellation},
      {"saturation",
       "two pixels of which one would do",
       "The logit is min(a + b, 1) where a + b is above 1: both pixels matter, and the gradient is 0.",
       "Shrikumar, Greenside and Kundaje 2017",
       {"overlap"},
       by_pixel(0),
       saturation},
      {"decoy",
       "a decoy in a corner",
       "The class is the grey level of four pixels in a corner. A brighter letter in the middle is there by "
       "chance.",
       "after Ross, Hughes and Doshi-Velez 2017",
       {"precision", "transport"},
       by_region(kGrey, 2),
       decoy},
      {"cells",
       "disconnected cells (DiFull)",
       "Each of four logits reads a quarter of the image, and no layer joins them. Weights are random.",
       "Rao, Böhle and Schiele 2022",
       {"outside"},
       by_region(0, 4),
       disconnected_cells},
      {"grid",
       "a grid of pictures (GridPG)",
       "Four images of CIFAR-10 that a classifier of single images gets right with most confidence; the "
       "class is that of one of them.",
       "Böhle, Fritz and Schiele 2021",
       {"localization"},
       by_region(0, 16),
       picture_grid},
  };
}

}  // namespace

std::span<const TruthProblem> truth_problems() {
  static const std::vector<TruthProblem> table = [] {
    std::vector<TruthProblem> all = tetromino_problems();
    for (TruthProblem& each : other_problems()) all.push_back(std::move(each));
    return all;
  }();
  return table;
}

const TruthProblem& truth_problem(std::string_view name) {
  std::vector<std::string_view> names;
  for (const TruthProblem& each : truth_problems()) {
    if (each.name == name) return each;
    names.push_back(each.name);
  }
  fail_usage("there is no problem '{}' with a known answer{}; the problems are {}", name,
             did_you_mean(name, names), fmt::join(names, ", "));
}

}  // namespace whence::attribution
