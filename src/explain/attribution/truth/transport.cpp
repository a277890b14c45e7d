// The earth mover's distance to a few pixels. A path of least cost goes from a pixel that has mass left to a place that has room
// left; on its way it may move mass that was put down before. With few places, paths are searched among the places alone.
#include "whence/explain/attribution/truth.h"

namespace whence::attribution {
namespace {

struct Heap {
  double row, column, mass;
};

std::vector<Heap> heaps_of(const at::Tensor& map) {
  const at::Tensor exact = map.to(at::kCPU, at::kDouble);
  const double sum = exact.sum().item<double>();
  std::vector<Heap> heaps;
  if (!(sum > 0)) return heaps;
  const auto values = exact.accessor<double, 2>();
  for (std::int64_t row = 0; row < exact.size(0); ++row)
    for (std::int64_t column = 0; column < exact.size(1); ++column)
      if (values[row][column] > 0)
        heaps.push_back({static_cast<double>(row), static_cast<double>(column), values[row][column] / sum});
  return heaps;
}

class Transport {
 public:
  Transport(std::vector<Heap> from, std::vector<Heap> to)
      : from_(std::move(from)),
        to_(std::move(to)),
        flow_(from_.size(), std::vector<double>(to_.size(), 0)),
        distance_(flow_) {
    for (std::size_t i = 0; i < from_.size(); ++i)
      for (std::size_t j = 0; j < to_.size(); ++j)
        distance_[i][j] = std::hypot(from_[i].row - to_[j].row, from_[i].column - to_[j].column);
  }

  double cost() {
    for (std::size_t source = 0; source < from_.size(); ++source)
      while (from_[source].mass > kNothing && send(source)) {
      }
    double sum = 0;
    for (std::size_t i = 0; i < from_.size(); ++i)
      for (std::size_t j = 0; j < to_.size(); ++j) sum += flow_[i][j] * distance_[i][j];
    return sum;
  }

 private:
  static constexpr double kNothing = 1e-12;

  struct Step {
    double cost = std::numeric_limits<double>::infinity();
    std::size_t place = 0, mover = 0;  ///< whose mass goes from there to here
    bool first = true;                 ///< straight from the source
  };

  /// The cheapest way to each place, by Bellman and Ford.
  std::vector<Step> ways(std::size_t source) const {
    std::vector<Step> best(to_.size());
    for (std::size_t j = 0; j < to_.size(); ++j) best[j].cost = distance_[source][j];
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t i = 0; i < from_.size(); ++i)
        for (std::size_t j = 0; j < to_.size(); ++j) {
          if (flow_[i][j] <= kNothing) continue;
          for (std::size_t next = 0; next < to_.size(); ++next) {
            const double cost = best[j].cost - distance_[i][j] + distance_[i][next];
            if (cost >= best[next].cost - 1e-9) continue;
            best[next] = {cost, j, i, false};
            changed = true;
          }
        }
    }
    return best;
  }

  /// Some of the source's mass, along the cheapest way to a place with room; false where there is no room.
  bool send(std::size_t source) {
    const std::vector<Step> best = ways(source);
    std::size_t goal = to_.size();
    for (std::size_t j = 0; j < to_.size(); ++j)
      if (to_[j].mass > kNothing && (goal == to_.size() || best[j].cost < best[goal].cost)) goal = j;
    if (goal == to_.size()) return false;
    double amount = std::min(from_[source].mass, to_[goal].mass);
    for (std::size_t j = goal; !best[j].first; j = best[j].place)
      amount = std::min(amount, flow_[best[j].mover][best[j].place]);
    from_[source].mass -= amount;
    to_[goal].mass -= amount;
    std::size_t place = goal;
    for (; !best[place].first; place = best[place].place) {
      flow_[best[place].mover][place] += amount;
      flow_[best[place].mover][best[place].place] -= amount;
    }
    flow_[source][place] += amount;
    return true;
  }

  std::vector<Heap> from_, to_;                       ///< what is left
  std::vector<std::vector<double>> flow_, distance_;  ///< from each pixel to each place
};

}  // namespace

double transport_distance(const at::Tensor& from, const at::Tensor& to) {
  TORCH_CHECK(from.dim() == 2 && from.sizes() == to.sizes(), "two maps of one size, got ", from.sizes(),
              " and ", to.sizes());
  const std::vector<Heap> heaps = heaps_of(from), places = heaps_of(to);
  if (heaps.empty() || places.empty()) return std::numeric_limits<double>::quiet_NaN();
  return Transport(heaps, places).cost();
}

}  // namespace whence::attribution
