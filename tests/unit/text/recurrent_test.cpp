// GRU and LSTM against their equations, word by word in float64.
#include "whence/models/text/recurrent.h"

#include <gtest/gtest.h>

#include "whence/core/random.h"

namespace whence::models {
namespace {

at::Tensor exact(const nn::Parameters& parameters, const std::string& name) {
  return parameters["layer." + name].detach().to(at::kDouble);
}

/// The states (T, H) of one text x (T, E).
at::Tensor gru_states(const nn::Parameters& parameters, const std::string& ending, const at::Tensor& x) {
  const at::Tensor wi = exact(parameters, "weight_ih_" + ending),
                   wh = exact(parameters, "weight_hh_" + ending), bi = exact(parameters, "bias_ih_" + ending),
                   bh = exact(parameters, "bias_hh_" + ending);
  const std::int64_t hidden = wh.size(1);
  at::Tensor h = at::zeros({hidden}, at::kDouble);
  std::vector<at::Tensor> states;
  for (std::int64_t t = 0; t < x.size(0); ++t) {
    const auto i = (wi.mv(x[t]) + bi).chunk(3), g = (wh.mv(h) + bh).chunk(3);
    const at::Tensor reset = (i[0] + g[0]).sigmoid(), update = (i[1] + g[1]).sigmoid(),
                     fresh = (i[2] + reset * g[2]).tanh();
    h = (1 - update) * fresh + update * h;
    states.push_back(h);
  }
  return at::stack(states);
}

at::Tensor lstm_states(const nn::Parameters& parameters, const std::string& ending, const at::Tensor& x) {
  const at::Tensor wi = exact(parameters, "weight_ih_" + ending),
                   wh = exact(parameters, "weight_hh_" + ending), bi = exact(parameters, "bias_ih_" + ending),
                   bh = exact(parameters, "bias_hh_" + ending);
  at::Tensor h = at::zeros({wh.size(1)}, at::kDouble), c = h;
  std::vector<at::Tensor> states;
  for (std::int64_t t = 0; t < x.size(0); ++t) {
    const auto gate = (wi.mv(x[t]) + bi + wh.mv(h) + bh).chunk(4);
    c = gate[1].sigmoid() * c + gate[0].sigmoid() * gate[2].tanh();
    h = gate[3].sigmoid() * c.tanh();
    states.push_back(h);
  }
  return at::stack(states);
}

class RecurrentLayers : public ::testing::TestWithParam<Cell> {
 protected:
  RecurrentLayers()
      : generator(make_generator(1, "recurrent")),
        both(parameters, "layer", GetParam(), 4, 3, true, generator),
        x(at::randn({3, 5, 4}, generator)) {}
  at::Tensor states(const std::string& ending, const at::Tensor& text) {
    return GetParam() == Cell::gru ? gru_states(parameters, ending, text)
                                   : lstm_states(parameters, ending, text);
  }

  nn::Parameters parameters{"test"};
  Generator generator;
  Recurrent both;
  at::Tensor x;
};

TEST_P(RecurrentLayers, FollowTheirEquationsInBothDirections) {
  const std::vector<std::int64_t> lengths = {2, 5, 4};
  const Recurrent::Run run = both.run(x, at::tensor(lengths, at::kLong));
  ASSERT_EQ(run.outputs.sizes(), (at::IntArrayRef{3, 5, 6}));
  for (std::int64_t i = 0; i < 3; ++i) {
    const std::int64_t length = lengths[static_cast<std::size_t>(i)];
    const at::Tensor text = x[i].narrow(0, 0, length).to(at::kDouble);
    const at::Tensor forward = states("l0", text), backward = states("l0_reverse", text.flip(0)).flip(0);
    const at::Tensor expected = at::cat({forward, backward}, 1);
    EXPECT_TRUE(run.outputs[i].narrow(0, 0, length).to(at::kDouble).allclose(expected, 1e-5, 1e-6)) << i;
    EXPECT_EQ(run.outputs[i].narrow(0, length, 5 - length).abs().sum().item<float>(), 0);
    EXPECT_TRUE(
        run.last[i].to(at::kDouble).allclose(at::cat({forward[length - 1], backward[0]}), 1e-5, 1e-6));
  }
}

TEST_P(RecurrentLayers, StepAsTheyRun) {
  nn::Parameters own("one");
  const Recurrent one(own, "layer", GetParam(), 4, 3, false, generator);
  at::Tensor hidden = at::randn({3, 3}, generator), cell = at::randn({3, 3}, generator);
  const Recurrent::Run run = one.run_from(x, hidden, cell);
  for (std::int64_t t = 0; t < 5; ++t) {
    std::tie(hidden, cell) = one.step(x.select(1, t), hidden, cell);
    EXPECT_TRUE(hidden.allclose(run.outputs.select(1, t), 1e-5, 1e-6)) << t;
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, RecurrentLayers, ::testing::Values(Cell::gru, Cell::lstm));

}  // namespace
}  // namespace whence::models
