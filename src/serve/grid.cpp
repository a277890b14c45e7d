#include "serve/grid.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace whence::serve {

nlohmann::json grid(const Subject& subject, const Answers& answers, const Answers* other,
                    const Parameter& parameter) {
  const std::int64_t classes = static_cast<std::int64_t>(subject.class_names.size());
  const std::int64_t label = integer(parameter, "label", -1, classes - 1, -1),
                     answer = integer(parameter, "answer", -1, classes - 1, -1);
  const std::size_t right = word(parameter, "right", {"", "yes", "no"}),
                    differ = word(parameter, "differ", {"", "yes", "no"}),
                    order = word(parameter, "order", {"number", "rising", "falling"});
  const double least = number(parameter, "least", 0, 1, 0), most = number(parameter, "most", 0, 1, 1);
  constexpr std::int64_t most_rows = 500;
  const std::int64_t first = integer(parameter, "first", 0, answers.size(), 0),
                     count = integer(parameter, "count", 0, most_rows, 60);
  if (differ != 0 && other == nullptr) throw BadRequest("differ needs another subject to differ from");

  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < answers.size(); ++row) {
    const auto i = static_cast<std::size_t>(row);
    const bool is_right = answers.labels[i] == answers.classes[i];
    const bool differs = other != nullptr && other->classes[i] != answers.classes[i];
    if ((label < 0 || answers.labels[i] == label) && (answer < 0 || answers.classes[i] == answer) &&
        (right == 0 || is_right == (right == 1)) && (differ == 0 || differs == (differ == 1)) &&
        answers.confidence[i] >= least && answers.confidence[i] <= most)
      rows.push_back(row);
  }
  const auto confidence = [&](std::int64_t row) { return answers.confidence[static_cast<std::size_t>(row)]; };
  if (order == 1) std::ranges::stable_sort(rows, std::less<>(), confidence);
  if (order == 2) std::ranges::stable_sort(rows, std::greater<>(), confidence);

  nlohmann::json shown = nlohmann::json::array();
  for (std::int64_t at = first; at < std::min<std::int64_t>(first + count, std::ssize(rows)); ++at) {
    const auto i = static_cast<std::size_t>(rows[static_cast<std::size_t>(at)]);
    nlohmann::json row = {{"row", i},
                          {"label", answers.labels[i]},
                          {"answer", answers.classes[i]},
                          {"confidence", answers.confidence[i]}};
    if (other != nullptr) {
      row["other"] = other->classes[i];
      row["other_confidence"] = other->confidence[i];
    }
    shown.push_back(std::move(row));
  }
  return {{"total", rows.size()}, {"rows", shown}};
}

std::string pixels_of(const Subject& subject, const std::vector<std::int64_t>& rows) {
  const at::Tensor bytes = subject.test.images.index_select(0, at::tensor(rows, at::kLong)).contiguous();
  return {static_cast<const char*>(bytes.data_ptr()), bytes.nbytes()};
}

}  // namespace whence::serve
