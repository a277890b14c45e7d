#include "whence/models/text/recurrent.h"

#include <ATen/ATen.h>

namespace whence::models {
namespace {

at::Tensor uniform(at::IntArrayRef shape, std::int64_t inputs, at::Generator& generator) {
  const double bound = 1 / std::sqrt(static_cast<double>(inputs));
  return at::empty(shape, at::TensorOptions(at::kCPU).dtype(at::kFloat)).uniform_(-bound, bound, generator);
}

}  // namespace

Recurrent::Recurrent(nn::Parameters& parameters, const std::string& name, Cell cell, std::int64_t input,
                     std::int64_t hidden, bool both_directions, at::Generator& generator)
    : cell_(cell), hidden_(hidden), both_directions_(both_directions) {
  const std::int64_t rows = hidden * (cell == Cell::lstm ? 4 : 3);
  const auto add = [&](const std::string& which, at::IntArrayRef shape) {
    weights_.push_back(parameters.add(fmt::format("{}.{}", name, which), uniform(shape, hidden, generator)));
  };
  for (int direction = 0; direction < (both_directions ? 2 : 1); ++direction) {
    const std::string ending = direction == 0 ? "l0" : "l0_reverse";
    add("weight_ih_" + ending, {rows, input});
    add("weight_hh_" + ending, {rows, hidden});
    add("bias_ih_" + ending, {rows});
    add("bias_hh_" + ending, {rows});
  }
}

std::vector<at::Tensor> Recurrent::zero_states(const at::Tensor& inputs) const {
  const at::Tensor zeros = at::zeros({both_directions_ ? 2 : 1, inputs.size(0), hidden_}, inputs.options());
  return cell_ == Cell::lstm ? std::vector<at::Tensor>{zeros, zeros} : std::vector<at::Tensor>{zeros};
}

at::Tensor Recurrent::joined(const at::Tensor& states) const {
  return states.transpose(0, 1).reshape({states.size(1), width()});
}

Recurrent::Run Recurrent::run(const at::Tensor& inputs, const at::Tensor& lengths) const {
  if (lengths.defined() && lengths.min().item<std::int64_t>() < inputs.size(1))
    return run_packed(inputs, lengths);
  const std::vector<at::Tensor> states = zero_states(inputs);
  if (cell_ == Cell::gru) {
    const auto [outputs, last] =
        at::gru(inputs, states[0], weights_, true, 1, 0, false, both_directions_, true);
    return {outputs, joined(last), {}};
  }
  const auto [outputs, last, cell] =
      at::lstm(inputs, states, weights_, true, 1, 0, false, both_directions_, true);
  return {outputs, joined(last), joined(cell)};
}

/// Rows in the order of falling lengths, and back.
Recurrent::Run Recurrent::run_packed(const at::Tensor& inputs, const at::Tensor& lengths) const {
  const at::Tensor order = lengths.argsort(/*dim=*/0, /*descending=*/true), back = order.argsort();
  const at::Tensor sorted = inputs.index_select(0, order);
  const auto [data, sizes] = at::_pack_padded_sequence(sorted, lengths.index_select(0, order).cpu(), true);
  const std::vector<at::Tensor> states = zero_states(inputs);
  at::Tensor outputs, last, cell;
  if (cell_ == Cell::gru)
    std::tie(outputs, last) = at::gru(data, sizes, states[0], weights_, true, 1, 0, false, both_directions_);
  else
    std::tie(outputs, last, cell) =
        at::lstm(data, sizes, states, weights_, true, 1, 0, false, both_directions_);
  const at::Tensor padded = std::get<0>(at::_pad_packed_sequence(outputs, sizes, true, 0, inputs.size(1)));
  return {padded.index_select(0, back), joined(last).index_select(0, back),
          cell.defined() ? joined(cell).index_select(0, back) : at::Tensor()};
}

Recurrent::Run Recurrent::run_from(const at::Tensor& inputs, const at::Tensor& hidden,
                                   const at::Tensor& cell) const {
  TORCH_CHECK(!both_directions_, "a state to begin with belongs to one direction");
  if (cell_ == Cell::gru) {
    const auto [outputs, last] =
        at::gru(inputs, hidden.unsqueeze(0), weights_, true, 1, 0, false, false, true);
    return {outputs, last.squeeze(0), {}};
  }
  const std::vector<at::Tensor> states = {hidden.unsqueeze(0), cell.unsqueeze(0)};
  const auto [outputs, last, last_cell] = at::lstm(inputs, states, weights_, true, 1, 0, false, false, true);
  return {outputs, last.squeeze(0), last_cell.squeeze(0)};
}

std::pair<at::Tensor, at::Tensor> Recurrent::step(const at::Tensor& input, const at::Tensor& hidden,
                                                  const at::Tensor& cell) const {
  TORCH_CHECK(!both_directions_, "a step goes in one direction");
  if (cell_ == Cell::gru)
    return {at::gru_cell(input, hidden, weights_[0], weights_[1], weights_[2], weights_[3]), at::Tensor()};
  const std::vector<at::Tensor> before = {hidden, cell};
  const auto [next, next_cell] =
      at::lstm_cell(input, before, weights_[0], weights_[1], weights_[2], weights_[3]);
  return {next, next_cell};
}

Linear::Linear(nn::Parameters& parameters, const std::string& name, std::int64_t inputs, std::int64_t outputs,
               at::Generator& generator)
    : weight(parameters.add(name + ".weight", uniform({outputs, inputs}, inputs, generator))),
      bias(parameters.add(name + ".bias", uniform({outputs}, inputs, generator))) {}

}  // namespace whence::models
