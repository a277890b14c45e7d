// The estimators of the information flow as slow loops over plain arrays, written from the formulas.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <functional>
#include <vector>

namespace whence::twin {

using Row = std::vector<double>;              // probabilities of one draw
using Draws = std::vector<std::vector<Row>>;  // [outer][inner]

inline Draws draws_of(const at::Tensor& probabilities) {
  const at::Tensor p = probabilities.to(at::kDouble).contiguous();
  const auto at_index = p.accessor<double, 3>();
  Draws draws(static_cast<std::size_t>(p.size(0)));
  for (std::int64_t a = 0; a < p.size(0); ++a)
    for (std::int64_t b = 0; b < p.size(1); ++b) {
      Row row;
      for (std::int64_t y = 0; y < p.size(2); ++y) row.push_back(at_index[a][b][y]);
      draws[static_cast<std::size_t>(a)].push_back(row);
    }
  return draws;
}

inline double f(double p) { return p > 0 ? p * std::log(p) : 0; }

inline double mean(const Row& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

inline double variance(const Row& values) {
  double sum = 0;
  for (const double v : values) sum += (v - mean(values)) * (v - mean(values));
  return sum / static_cast<double>(values.size() - 1);
}

/// Of the mean of stratified values: half the mean square of the differences of neighbours, over n.
inline double stratified_variance_of_mean(const Row& values) {
  double sum = 0;
  for (std::size_t i = 1; i < values.size(); ++i) sum += std::pow(values[i] - values[i - 1], 2);
  return sum / static_cast<double>(2 * (values.size() - 1) * values.size());
}

/// Of the mean of values that come in independent groups of `size`.
inline double grouped_variance_of_mean(const Row& values, std::size_t size) {
  Row means;
  for (std::size_t i = 0; i < values.size(); i += size)
    means.push_back(mean(Row(values.begin() + static_cast<std::ptrdiff_t>(i),
                             values.begin() + static_cast<std::ptrdiff_t>(i + size))));
  return variance(means) / static_cast<double>(means.size());
}

inline Row without(Row values, std::size_t index) {
  values.erase(values.begin() + static_cast<std::ptrdiff_t>(index));
  return values;
}

/// n f(mean) - (n - 1) * average of f(mean without one).
inline double jackknife(const Row& values, const std::function<double(const Row&)>& statistic) {
  const auto n = static_cast<double>(values.size());
  double left_out = 0;
  for (std::size_t i = 0; i < values.size(); ++i) left_out += statistic(without(values, i));
  return n * statistic(values) - (n - 1) * left_out / n;
}

/// p(y | a, b) for one class as [outer][inner].
inline std::vector<Row> of_class(const Draws& draws, std::size_t y) {
  std::vector<Row> table;
  for (const auto& inner : draws) {
    table.emplace_back();
    for (const Row& row : inner) table.back().push_back(row[y]);
  }
  return table;
}

inline Row outer_means(const std::vector<Row>& table) {
  Row means;
  for (const Row& row : table) means.push_back(mean(row));
  return means;
}

inline std::vector<Row> transposed(const std::vector<Row>& table) {
  std::vector<Row> result(table.front().size());
  for (const Row& row : table)
    for (std::size_t b = 0; b < row.size(); ++b) result[b].push_back(row[b]);
  return result;
}

inline double plug_in(const Draws& draws) {
  double information = 0;
  for (std::size_t y = 0; y < draws[0][0].size(); ++y) {
    const Row p = outer_means(of_class(draws, y));
    for (const double p_outer : p) information += f(p_outer) / static_cast<double>(p.size());
    information -= f(mean(p));
  }
  return information;
}

/// Second-order bias: sum_y [mean_a Var_b / (2 inner p_a) - Var(p(y)) / (2 p(y))].
inline double delta(const Draws& draws, bool crossed,
                    const std::function<double(const Row&)>& variance_of_mean) {
  double bias = 0;
  const auto outer = static_cast<double>(draws.size()), inner = static_cast<double>(draws[0].size());
  for (std::size_t y = 0; y < draws[0][0].size(); ++y) {
    const auto table = of_class(draws, y);
    const Row rows = outer_means(table), columns = outer_means(transposed(table));
    for (const Row& row : table)
      if (mean(row) > 0) bias += variance(row) / (2 * inner * mean(row)) / outer;
    double of_marginal = variance_of_mean(rows);
    if (crossed) {
      double interaction = 0;
      for (std::size_t a = 0; a < table.size(); ++a)
        for (std::size_t b = 0; b < table[a].size(); ++b)
          interaction += std::pow(table[a][b] - rows[a] - columns[b] + mean(rows), 2);
      of_marginal += variance(columns) / inner - interaction / ((outer - 1) * (inner - 1)) / (outer * inner);
    }
    if (mean(rows) > 0) bias -= of_marginal / (2 * mean(rows));
  }
  return plug_in(draws) - bias;
}

/// f at the mean of a table, jackknifed over its columns for given rows.
inline double jackknife_columns(const std::vector<Row>& table) {
  return jackknife(outer_means(transposed(table)), [](const Row& columns) { return f(mean(columns)); });
}

inline double jackknifed(const Draws& draws, bool crossed) {
  double information = 0;
  for (std::size_t y = 0; y < draws[0][0].size(); ++y) {
    const auto table = of_class(draws, y);
    const auto outer = static_cast<double>(table.size());
    for (const Row& row : table)
      information += jackknife(row, [](const Row& inner) { return f(mean(inner)); }) / outer;
    if (!crossed) {
      information -= jackknife(outer_means(table), [](const Row& rows) { return f(mean(rows)); });
      continue;
    }
    double left_out = 0;
    for (std::size_t a = 0; a < table.size(); ++a) {
      auto rest = table;
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(a));
      left_out += jackknife_columns(rest);
    }
    information -= outer * jackknife_columns(table) - (outer - 1) * left_out / outer;
  }
  return information;
}

/// mean_b [mean_a sum_y f(P_ab) - sum_y f(mean_a P_ab)] with its marginal part corrected over the outer
/// draws.
inline double conditional(const Draws& draws, const std::string& correction) {
  double information = 0;
  for (std::size_t y = 0; y < draws[0][0].size(); ++y)
    for (const Row& column : transposed(of_class(draws, y))) {
      const auto inner = static_cast<double>(draws[0].size());
      const auto outer = static_cast<double>(column.size());
      for (const double p : column) information += f(p) / outer / inner;
      const auto entropy = [](const Row& values) { return f(mean(values)); };
      if (correction == "jackknife")
        information -= jackknife(column, entropy) / inner;
      else
        information -= entropy(column) / inner;
      if (correction == "delta") information += variance(column) / (2 * outer * mean(column)) / inner;
    }
  return information;
}

}  // namespace whence::twin
