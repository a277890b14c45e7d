#include "whence/explain/gce/latent_map.h"

#include <cmath>
#include <map>

#include "whence/core/error.h"
#include "whence/interchange/safetensors.h"
#include "whence/platform/device.h"

namespace whence::gce {
namespace {

using at::Tensor;

constexpr double kTiny = 1e-12;
/// How much of a coupling's constant direction lies among the betas, beside alpha.
constexpr double kAmongBetas = 0.3;

/// x - 2 v (v . x) for rows v of unit length, or one for all.
Tensor reflected(const Tensor& x, const Tensor& v) { return x - 2 * v * (x * v).sum(-1, true); }

/// The columns of `rotation` with those of the betas from `causal` to `moved` dealt out: first every second one, then the others. Columns stand in the
/// order of what they move, so both halves get as much of it.
Tensor dealt_out(const Tensor& rotation, std::int64_t causal, std::int64_t moved) {
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < causal; ++i) order.push_back(i);
  for (std::int64_t half = 1; half >= 0; --half)
    for (std::int64_t i = causal + half; i < moved; i += 2) order.push_back(i);
  for (std::int64_t i = moved; i < rotation.size(1); ++i) order.push_back(i);
  return rotation.detach().index_select(1, at::tensor(order, rotation.options().dtype(at::kLong)));
}

/// (n + 1, n): its columns are orthonormal and have the sum 0, so that a normalised row of n + 1 numbers with the mean 0 becomes any direction of n.
Tensor centred_basis(std::int64_t n, const at::TensorOptions& options) {
  const Tensor ones = at::ones({n + 1, 1}, options.dtype(at::kDouble));
  return std::get<0>(at::linalg_qr(ones, "complete")).narrow(1, 1, n).to(at::kFloat);
}

}  // namespace

/// A network that is being written, and the layers where the parts of the factors stand by now.
struct LatentMap::WrittenMap {
  nn::Network network;
  nn::NamedTensors state;
  std::array<std::string, 4> parts;

  void add_linear(const std::string& name, const Tensor& weight, const Tensor& bias,
                  const std::string& input) {
    network.add(name, nn::Linear{weight.size(0), bias.defined()}, {input});
    state.push_back({name + ".weight", weight.detach().clone(at::MemoryFormat::Contiguous)});
    if (bias.defined()) state.push_back({name + ".bias", bias.detach().clone()});
  }
};

LatentMap::LatentMap(const at::Tensor& rotation, std::int64_t causal, const LatentMapOptions& options,
                     at::Generator& generator)
    : causal_(causal), parameters_("latent map") {
  const std::int64_t latents = rotation.size(0), moved = std::min(options.moved, latents);
  if (options.couplings > 0 && moved < causal + 2)
    fail_usage("{} factors take part in the latent map; it needs the causal ones and two more, {} or more",
               moved, causal + 2);
  halves_[0] = (moved - causal) / 2;
  halves_[1] = moved - causal - halves_[0];
  rest_ = latents - moved;
  rotation_ = dealt_out(rotation, causal, moved);
  const auto normal = [&](at::IntArrayRef shape, double deviation) {
    return (deviation * at::randn(shape, generator, draws_of(generator))).to(rotation.device());
  };
  for (std::int64_t l = 0; l < options.couplings; ++l) {
    const std::int64_t own = halves_[l % 2], other = halves_[1 - l % 2], size = causal + own;
    Tensor among_alpha = normal({causal}, 1), among_betas = normal({own}, 1);
    among_alpha = among_alpha / among_alpha.norm();
    among_betas = kAmongBetas * among_betas / among_betas.norm();
    const Tensor constant = at::cat({among_alpha, among_betas});
    Coupling coupling;
    coupling.constant = constant / constant.norm();
    coupling.basis = centred_basis(size, rotation.options());
    coupling.hidden = normal({options.hidden, other}, 1 / std::sqrt(static_cast<double>(other)));
    coupling.hidden_bias = normal({options.hidden}, 0.5);
    // At the start w(B) = c: the two reflections undo each other.
    coupling.output = at::zeros({size + 1, options.hidden}, constant.options());
    coupling.output_bias = coupling.basis.mv(coupling.constant);
    add_coupling(std::move(coupling));
  }
}

void LatentMap::add_coupling(Coupling coupling) {
  const std::string name = fmt::format("coupling{}.", couplings_.size() + 1);
  coupling.hidden = parameters_.add(name + "hidden.weight", coupling.hidden);
  coupling.hidden_bias = parameters_.add(name + "hidden.bias", coupling.hidden_bias);
  coupling.output = parameters_.add(name + "output.weight", coupling.output);
  coupling.output_bias = parameters_.add(name + "output.bias", coupling.output_bias);
  couplings_.push_back(std::move(coupling));
}

void LatentMap::save(const std::filesystem::path& file) const {
  nn::NamedTensors tensors = {
      {"rotation", rotation_},
      {"parts", at::tensor({causal_, halves_[0], halves_[1], rest_}, rotation_.options().dtype(at::kLong))}};
  for (std::size_t l = 0; l < couplings_.size(); ++l)
    tensors.push_back({fmt::format("coupling{}.constant", l + 1), couplings_[l].constant});
  for (const nn::NamedTensor& own : parameters_.state()) tensors.push_back({own.name, own.tensor.detach()});
  for (nn::NamedTensor& entry : tensors) entry.tensor = entry.tensor.to(at::kCPU).contiguous();
  nn::save_safetensors(file, tensors);
}

LatentMap LatentMap::load(const std::filesystem::path& file) {
  std::map<std::string, Tensor> tensors;
  for (const nn::NamedTensor& entry : nn::load_safetensors(file).tensors) tensors[entry.name] = entry.tensor;
  const auto named = [&](const std::string& name) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) fail("{} is no latent map: it has no tensor {}", file.string(), name);
    return found->second;
  };
  LatentMap map;
  map.rotation_ = named("rotation");
  const Tensor sizes = named("parts");
  if (map.rotation_.dim() != 2) fail("{} is no latent map: its rotation is no matrix", file.string());
  const std::int64_t latents = map.rotation_.size(0);
  if (sizes.numel() != 4 || sizes.scalar_type() != at::kLong || sizes.lt(0).any().item<bool>() ||
      map.rotation_.size(1) != latents || sizes.sum().item<std::int64_t>() != latents)
    fail("{} is no latent map: its parts do not fit its rotation", file.string());
  map.causal_ = sizes[0].item<std::int64_t>();
  map.halves_ = {sizes[1].item<std::int64_t>(), sizes[2].item<std::int64_t>()};
  map.rest_ = sizes[3].item<std::int64_t>();
  for (std::size_t l = 0; tensors.contains(fmt::format("coupling{}.constant", l + 1)); ++l) {
    const std::string name = fmt::format("coupling{}.", l + 1);
    const std::int64_t size = map.causal_ + map.halves_[l % 2], other = map.halves_[1 - l % 2];
    Coupling coupling{named(name + "constant"),      {},
                      named(name + "hidden.weight"), named(name + "hidden.bias"),
                      named(name + "output.weight"), named(name + "output.bias")};
    const std::int64_t hidden = coupling.hidden_bias.numel();
    if (coupling.constant.sizes() != at::IntArrayRef({size}) ||
        coupling.hidden.sizes() != at::IntArrayRef({hidden, other}) ||
        coupling.output.sizes() != at::IntArrayRef({size + 1, hidden}) ||
        coupling.output_bias.sizes() != at::IntArrayRef({size + 1}))
      fail("{} is no latent map: coupling {} does not fit its parts", file.string(), l + 1);
    coupling.basis = centred_basis(size, map.rotation_.options());
    map.add_coupling(std::move(coupling));
  }
  map.parameters_.freeze();
  return map;
}

std::vector<at::Tensor> LatentMap::parts(const at::Tensor& factors) const {
  return factors.split_with_sizes({causal_, halves_[0], halves_[1], rest_}, 1);
}

/// w(B), (N, A), of unit length.
at::Tensor LatentMap::decided(const Coupling& coupling, const at::Tensor& b) const {
  const Tensor hidden = at::tanh(at::linear(b, coupling.hidden, coupling.hidden_bias));
  const Tensor output = at::linear(hidden, coupling.output, coupling.output_bias);
  const std::int64_t n = output.size(1);
  return at::layer_norm(output, {n}, {}, {}, kTiny).mm(coupling.basis) / std::sqrt(static_cast<double>(n));
}

at::Tensor LatentMap::turned(const at::Tensor& factors, std::size_t index, bool back) const {
  const Coupling& coupling = couplings_[index];
  std::vector<Tensor> all = parts(factors);
  Tensor& own = all[1 + index % 2];
  const Tensor w = decided(coupling, all[2 - index % 2]), c = coupling.constant.unsqueeze(0);
  Tensor a = at::cat({all[0], own}, 1);
  a = back ? reflected(reflected(a, w), c) : reflected(reflected(a, c), w);
  all[0] = a.narrow(1, 0, causal_);
  own = a.narrow(1, causal_, a.size(1) - causal_);
  return at::cat(all, 1);
}

at::Tensor LatentMap::codes(const at::Tensor& factors) const {
  Tensor u = factors;
  for (std::size_t l = 0; l < couplings_.size(); ++l) u = turned(u, l, false);
  return u.mm(rotation_.t());
}

at::Tensor LatentMap::factors(const at::Tensor& codes) const {
  Tensor u = codes.mm(rotation_);
  for (std::size_t l = couplings_.size(); l-- > 0;) u = turned(u, l, true);
  return u;
}

void LatentMap::add_turn(WrittenMap& written, std::size_t index) const {
  const Coupling& coupling = couplings_[index];
  const std::string name = fmt::format("coupling{}_", index + 1);
  std::string &alpha = written.parts[0], &own = written.parts[1 + index % 2];
  const std::int64_t size = coupling.constant.size(0);
  const Tensor c = coupling.constant.unsqueeze(1);
  nn::Network& network = written.network;
  written.add_linear(name + "hidden", coupling.hidden, coupling.hidden_bias, written.parts[2 - index % 2]);
  network.add(name + "hidden_tanh", nn::Tanh{});
  written.add_linear(name + "output", coupling.output, coupling.output_bias, name + "hidden_tanh");
  network.add(name + "norm", nn::LayerNorm{kTiny});
  // w times the root of 2, so that A - w (w . A) is the reflection.
  written.state.push_back(
      {name + "norm.weight",
       at::full({size + 1}, std::sqrt(2 / (static_cast<double>(size) + 1)), c.options())});
  written.state.push_back({name + "norm.bias", at::zeros({size + 1}, c.options())});
  written.add_linear(name + "direction", coupling.basis.t(), {}, name + "norm");
  network.add(name + "joined", nn::Concat{}, {alpha, own});
  written.add_linear(name + "constant", at::eye(size, c.options()) - 2 * c.mm(c.t()), {}, name + "joined");
  network.add(name + "products", nn::Gate{}, {name + "constant", name + "direction"});
  written.add_linear(name + "sum", -at::ones({size, size}, c.options()), {}, name + "products");
  network.add(name + "change", nn::Gate{}, {name + "sum", name + "direction"});
  network.add(name + "turned", nn::Add{}, {name + "constant", name + "change"});
  alpha = name + "alpha";
  own = name + "beta";
  network.add(alpha, nn::Slice{0, causal_}, {name + "turned"});
  network.add(own, nn::Slice{causal_, size - causal_}, {name + "turned"});
}

nn::Network LatentMap::network() const {
  WrittenMap written{nn::Network("latent map", {rotation_.size(0)}),
                     {},
                     {"alpha", "beta_first", "beta_second", "beta_rest"}};
  const std::string input = written.network.layers().front().name;
  const std::array<std::int64_t, 4> sizes = {causal_, halves_[0], halves_[1], rest_};
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < sizes.size(); begin += sizes[i++])
    if (sizes[i] > 0) written.network.add(written.parts[i], nn::Slice{begin, sizes[i]}, {input});
  for (std::size_t l = 0; l < couplings_.size(); ++l) add_turn(written, l);
  std::vector<std::string> joined;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    if (sizes[i] > 0) joined.push_back(written.parts[i]);
  written.network.add("factors", nn::Concat{}, joined);
  written.add_linear("rotation", rotation_, {}, "factors");
  written.network.load_state(written.state);
  return written.network;
}

}  // namespace whence::gce
