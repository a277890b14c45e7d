#include "whence/models/text/sentence_vae.h"

namespace whence::models {
namespace {

constexpr double kSwitch = 8;  ///< slope at 0 of a factor's second form
constexpr std::int64_t kGuesser = 64;

bool is_guided(const SentenceVaeShape& shape) { return shape.architecture == VaeArchitecture::guided; }
bool is_of_encoder(std::string_view name) {
  return name.starts_with("encoder.") || name.starts_with("posterior.");
}
/// Of what the decoder is told of a code.
std::int64_t features_of(const SentenceVaeShape& shape) {
  return is_guided(shape) ? shape.latents() + shape.causal : shape.latents();
}
std::int64_t guide_of(const SentenceVaeShape& shape) {
  return is_guided(shape) ? shape.guide : shape.latents();
}

}  // namespace

SentenceVae::SentenceVae(const SentenceVaeShape& shape, at::Generator& generator)
    : shape_(shape),
      parameters_("sentence_vae"),
      embedding_(parameters_.add("embedding.weight",
                                 at::normal(0.0, 0.1, {shape.words, shape.embedding}, generator))),
      bias_(parameters_.add("bias", at::zeros({shape.words}, embedding_.options()))),
      encoder_(parameters_, "encoder", is_guided(shape) ? Cell::gru : Cell::lstm, shape.embedding,
               shape.encoder_hidden, is_guided(shape), generator),
      decoder_(parameters_, "decoder", Cell::lstm, shape.embedding + guide_of(shape), shape.decoder_hidden,
               false, generator),
      posterior_(parameters_, "posterior", 2 * shape.encoder_hidden, 2 * shape.latents(), generator),
      first_state_(parameters_, "first_state", features_of(shape), 2 * shape.decoder_hidden, generator),
      query_(parameters_, "query", shape.decoder_hidden, shape.embedding, generator),
      bag_(parameters_, "bag", features_of(shape), shape.embedding, generator),
      promise_(parameters_, "promise", 2 * shape.causal, shape.classes, generator),
      guess_hidden_(parameters_, "guess_hidden", shape.noncausal, kGuesser, generator),
      guess_(parameters_, "guess", kGuesser, shape.classes, generator) {
  if (is_guided(shape)) {
    guide_hidden_.emplace(parameters_, "guide_hidden", features_of(shape), shape.guide, generator);
    guide_.emplace(parameters_, "guide", shape.guide, shape.guide, generator);
    guided_query_.emplace(parameters_, "guided_query", shape.guide, shape.embedding, generator);
  }
  if (shape.causal == 1 &&
      shape.classes == 2) {  // a positive alpha promises the second class from the beginning
    const at::NoGradGuard no_gradients;
    promise_.bias.zero_();
    promise_.weight.copy_(
        at::tensor({-1.0F, -2.0F, 1.0F, 2.0F}, promise_.weight.options().requires_grad(false)).view({2, 2}));
  }
}

nn::Parameters SentenceVae::encoder_parameters() const { return parameters_.part(is_of_encoder); }
nn::Parameters SentenceVae::other_parameters() const {
  return parameters_.part([](std::string_view name) { return !is_of_encoder(name); });
}

at::Tensor SentenceVae::switched(const at::Tensor& alpha) const {
  return at::cat({alpha.tanh(), (kSwitch * alpha).tanh()}, 1);
}

at::Tensor SentenceVae::features(const at::Tensor& z) const {
  if (!is_guided(shape_)) return z;
  return at::cat({switched(z.narrow(1, 0, shape_.causal)), z.narrow(1, shape_.causal, shape_.noncausal)}, 1);
}

Posterior SentenceVae::encode(const at::Tensor& vectors, const at::Tensor& lengths) const {
  const Recurrent::Run run = encoder_.run(vectors, lengths);
  const at::Tensor state = is_guided(shape_) ? run.last : at::cat({run.last, run.last_cell}, 1);
  const std::vector<at::Tensor> halves = posterior_(state).chunk(2, 1);
  constexpr double least = -8, most = 4;  // of a log-variance
  return {halves[0], halves[1].clamp(least, most)};
}

SentenceVae::Guidance SentenceVae::guidance(const at::Tensor& z) const {
  const at::Tensor told = features(z);
  const std::vector<at::Tensor> state = first_state_(told).chunk(2, 1);
  const at::Tensor guide = is_guided(shape_) ? (*guide_)((*guide_hidden_)(told).tanh()).tanh() : z;
  return {guide, state[0].tanh().contiguous(), state[1].contiguous()};
}

at::Tensor SentenceVae::queries(const at::Tensor& vectors, const Guidance& guidance) const {
  const at::Tensor guide = guidance.guide.unsqueeze(1).expand({-1, vectors.size(1), -1});
  const at::Tensor outputs =
      decoder_.run_from(at::cat({vectors, guide}, 2), guidance.hidden, guidance.cell).outputs;
  const at::Tensor queries = query_(outputs);
  return is_guided(shape_) ? queries + (*guided_query_)(guidance.guide).unsqueeze(1) : queries;
}

at::Tensor SentenceVae::next_query(const at::Tensor& vector, Guidance& guidance) const {
  std::tie(guidance.hidden, guidance.cell) =
      decoder_.step(at::cat({vector, guidance.guide}, 1), guidance.hidden, guidance.cell);
  const at::Tensor query = query_(guidance.hidden);
  return is_guided(shape_) ? query + (*guided_query_)(guidance.guide) : query;
}

at::Tensor SentenceVae::bag_query(const at::Tensor& z) const { return bag_(features(z)); }

at::Tensor SentenceVae::promise(const at::Tensor& alpha) const {
  return at::log_softmax(promise_(switched(alpha)), 1);
}

at::Tensor SentenceVae::guess(const at::Tensor& beta, bool fixed) const {
  const auto with = [&](const Linear& layer, const at::Tensor& x) {
    return fixed ? at::linear(x, layer.weight.detach(), layer.bias.detach()) : layer(x);
  };
  return with(guess_, at::leaky_relu(with(guess_hidden_, beta), 0.1));
}

}  // namespace whence::models
