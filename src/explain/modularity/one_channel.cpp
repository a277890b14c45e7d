#include "explain/modularity/one_channel.h"

#include "explain/modularity/upsampling.h"

namespace whence::modularity {
namespace {

using nn::LayerId;

template <class... Ops>
bool is_one_of(const nn::Op& op) {
  return (std::holds_alternative<Ops>(op) || ...);
}

/// Whether each channel of the output depends on that channel of the input alone.
bool acts_on_channels(const nn::Op& op) {
  return is_one_of<nn::Relu, nn::LeakyRelu, nn::Sigmoid, nn::Tanh, nn::BatchNorm2d, nn::ScaleShift,
                   nn::Dropout, nn::Dropout2d, nn::MaxPool2d, nn::AvgPool2d, nn::GlobalAvgPool2d,
                   nn::ZeroPad2d, nn::UpsampleNearest2d>(op);
}

bool is_output(const nn::Network& network, LayerId id) {
  const auto& outputs = network.outputs();
  return std::find(outputs.begin(), outputs.end(), id) != outputs.end();
}

/// The layer that alone reads `id`.
std::optional<LayerId> only_reader(const nn::Network& network, LayerId id) {
  std::optional<LayerId> reader;
  for (LayerId next = id + 1; next < network.layers().size(); ++next)
    for (const LayerId input : network.layers()[next].inputs)
      if (input == id) {
        if (reader) return std::nullopt;
        reader = next;
      }
  return is_output(network, id) ? std::nullopt : reader;
}

/// The convolution that alone reads the cut's layer, perhaps through layers that act on channels.
std::optional<LayerId> convolution_behind(const nn::Network& network, LayerId cut) {
  while (const std::optional<LayerId> reader = only_reader(network, cut)) {
    cut = *reader;
    const nn::Op& op = network.layers()[cut].op;
    if (is_one_of<nn::Conv2d, nn::ConvTranspose2d>(op)) return cut;
    if (!acts_on_channels(op)) return std::nullopt;
  }
  return std::nullopt;
}

/// The part of a convolution that reads one channel, without its bias.
nn::Network part_of_channel(const nn::Layer& convolution, const nn::Shape& input, std::int64_t channel) {
  nn::Op op = convolution.op;
  std::int64_t axis = 1;
  if (auto* forward = std::get_if<nn::Conv2d>(&op)) forward->bias = false;
  if (auto* transposed = std::get_if<nn::ConvTranspose2d>(&op)) {
    transposed->bias = false;
    axis = 0;
  }
  nn::Network part("channel", {1, input[1], input[2]});
  part.add("convolution", op);
  const at::Tensor& weight = convolution.parameters.front().tensor;
  part.load_state({{"convolution.weight", weight.narrow(axis, channel, 1).to(at::kFloat)}});
  return part;
}

bool has_layer(const nn::Network& network, std::string_view name) {
  const auto& layers = network.layers();
  return std::any_of(layers.begin(), layers.end(),
                     [&](const nn::Layer& layer) { return layer.name == name; });
}

bool is_float32(const nn::Network& network) {
  const nn::NamedTensors parameters = network.parameters();
  return std::none_of(parameters.begin(), parameters.end(),
                      [](const nn::NamedTensor& entry) { return entry.tensor.scalar_type() == at::kDouble; });
}

}  // namespace

OneChannel::OneChannel(const Cut& cut) : cut_(cut), from_(cut.network().find(cut.layer())), to_(from_) {
  execution_.precision = cut.precision();
  if (!is_float32(cut.network())) return;
  const nn::Network joined = with_joined_upsampling(cut.network());
  if (!has_layer(joined, cut.layer())) return;
  const std::optional<LayerId> convolution = convolution_behind(joined, joined.find(cut.layer()));
  const nn::Layer& end = joined.layers()[convolution.value_or(joined.find(cut.layer()))];
  behind_.emplace(joined, end.name, cut.precision());
  if (!convolution) return;
  const nn::Layer& input = joined.layers()[end.inputs.front()];
  to_ = cut.network().find(input.name);
  for (std::int64_t channel = 0; channel < cut.channels(); ++channel) {
    nn::Network part = part_of_channel(end, input.shape, channel).frozen(cut.precision());
    part.to(joined.device());
    of_channel_.push_back(std::move(part));
  }
}

OneChannel::Batch OneChannel::batch(const Activations& first, const Activations& second) const {
  Batch batch;
  batch.owner_ = this;
  batch.first_ = first;
  const auto input = [&](const at::Tensor& maps) {
    return from_ == to_ ? maps : cut_.network().run(from_, to_, maps, execution_);
  };
  const at::Tensor ours = input(first.maps);
  batch.difference_ = input(second.maps) - ours;
  if (behind_ && !of_channel_.empty()) {
    const nn::Network& joined = behind_->network();
    const nn::LayerId convolution = joined.find(behind_->layer());
    batch.first_.maps =
        joined.run(joined.layers()[convolution].inputs.front(), convolution, ours, execution_);
  }
  return batch;
}

at::Tensor OneChannel::Batch::swapped(std::int64_t channel) const {
  const OneChannel& owner = *owner_;
  const at::NoGradGuard no_grad;
  Activations hybrid = first_;
  const at::Tensor difference = difference_.narrow(1, channel, 1);
  if (!owner.of_channel_.empty()) {
    const nn::Network& part = owner.of_channel_[static_cast<std::size_t>(channel)];
    hybrid.maps = hybrid.maps + part.forward(difference, owner.execution_);
  } else {
    hybrid.maps = hybrid.maps.clone();
    hybrid.maps.narrow(1, channel, 1).add_(difference);
  }
  return owner.behind_ ? owner.behind_->behind(hybrid) : owner.cut_.behind(hybrid);
}

}  // namespace whence::modularity
