#include "explain/flow/assignment.h"

#include <limits>

namespace whence::flow {
namespace {

constexpr double kFar = std::numeric_limits<double>::infinity();

/// Costs with as many columns as rows or more; rows and columns are counted from 1, 0 is "none".
class Matching {
 public:
  explicit Matching(const at::Tensor& cost)
      : cost_(cost.to(at::kCPU, at::kDouble)),
        entries_(cost_.accessor<double, 2>()),
        rows_(static_cast<std::size_t>(cost.size(0))),
        columns_(static_cast<std::size_t>(cost.size(1))),
        row_price_(rows_ + 1, 0),
        column_price_(columns_ + 1, 0),
        row_of_(columns_ + 1, 0) {
    for (std::size_t row = 1; row <= rows_; ++row) place(row);
  }

  std::vector<std::int64_t> column_of_rows() const {
    std::vector<std::int64_t> result(rows_, -1);
    for (std::size_t column = 1; column <= columns_; ++column)
      if (row_of_[column] > 0) result[row_of_[column] - 1] = static_cast<std::int64_t>(column) - 1;
    return result;
  }

 private:
  double reduced(std::size_t row, std::size_t column) const {
    return entries_[static_cast<std::int64_t>(row) - 1][static_cast<std::int64_t>(column) - 1] -
           row_price_[row] - column_price_[column];
  }

  /// Finds the cheapest way to a free column, and shifts the rows along it.
  void place(std::size_t row) {
    std::vector<double> way(columns_ + 1, kFar);
    std::vector<std::size_t> before(columns_ + 1, 0);
    std::vector<bool> reached(columns_ + 1, false);
    std::size_t column = 0;
    row_of_[0] = row;
    do {
      reached[column] = true;
      std::size_t next = 0;
      double least = kFar;
      for (std::size_t to = 1; to <= columns_; ++to) {
        if (reached[to]) continue;
        const double cost = reduced(row_of_[column], to);
        if (cost < way[to]) {
          way[to] = cost;
          before[to] = column;
        }
        if (way[to] < least) {
          least = way[to];
          next = to;
        }
      }
      for (std::size_t to = 0; to <= columns_; ++to) {
        if (reached[to]) {
          row_price_[row_of_[to]] += least;
          column_price_[to] -= least;
        } else {
          way[to] -= least;
        }
      }
      column = next;
    } while (row_of_[column] != 0);
    for (; column != 0; column = before[column]) row_of_[column] = row_of_[before[column]];
  }

  at::Tensor cost_;
  at::TensorAccessor<double, 2> entries_;
  std::size_t rows_, columns_;
  std::vector<double> row_price_, column_price_;
  std::vector<std::size_t> row_of_;  // by column
};

}  // namespace

std::vector<std::int64_t> best_assignment(const at::Tensor& gains) {
  TORCH_CHECK(gains.dim() == 2, "gains must be (rows, columns), got ", gains.sizes());
  if (gains.numel() == 0) return std::vector<std::int64_t>(static_cast<std::size_t>(gains.size(0)), -1);
  if (gains.size(0) <= gains.size(1)) return Matching(-gains).column_of_rows();
  std::vector<std::int64_t> result(static_cast<std::size_t>(gains.size(0)), -1);
  const std::vector<std::int64_t> rows = Matching(-gains.t()).column_of_rows();
  for (std::size_t column = 0; column < rows.size(); ++column)
    result[static_cast<std::size_t>(rows[column])] = static_cast<std::int64_t>(column);
  return result;
}

}  // namespace whence::flow
