// How far two groupings of the same channels agree.
#include <map>

#include "explain/flow/assignment.h"
#include "whence/explain/modularity/modules.h"

namespace whence::modularity {
namespace {

double pairs_of(double count) { return count * (count - 1) / 2; }

}  // namespace

double adjusted_rand_index(const std::vector<std::int64_t>& one, const std::vector<std::int64_t>& other) {
  TORCH_CHECK(one.size() == other.size(), "labels of the same channels are needed");
  std::map<std::pair<std::int64_t, std::int64_t>, double> both;
  std::map<std::int64_t, double> rows, columns;
  for (std::size_t i = 0; i < one.size(); ++i) {
    both[{one[i], other[i]}] += 1;
    rows[one[i]] += 1;
    columns[other[i]] += 1;
  }
  double together = 0, in_one = 0, in_other = 0;
  for (const auto& [labels, count] : both) together += pairs_of(count);
  for (const auto& [label, count] : rows) in_one += pairs_of(count);
  for (const auto& [label, count] : columns) in_other += pairs_of(count);
  const double chance = in_one * in_other / pairs_of(static_cast<double>(one.size()));
  const double most = (in_one + in_other) / 2;
  return most == chance ? 1 : (together - chance) / (most - chance);
}

Agreement agreement(const Modules& one, const Modules& other) {
  const at::Tensor a = one.templates.flatten(1), b = other.templates.flatten(1);
  const at::Tensor cosines =
      a.mm(b.t()) / (a.norm(2, 1, true).clamp_min(1e-12) * b.norm(2, 1, true).clamp_min(1e-12).t());
  const std::vector<std::int64_t> matched = flow::best_assignment(cosines);
  double sum = 0;
  for (std::size_t i = 0; i < matched.size(); ++i)
    if (matched[i] >= 0) sum += cosines[static_cast<std::int64_t>(i)][matched[i]].item<double>();
  return {sum / static_cast<double>(std::max(one.rank(), other.rank())),
          adjusted_rand_index(one.labels, other.labels)};
}

}  // namespace whence::modularity
