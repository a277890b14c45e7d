// The interfaces of models: Classifier, Decoder, Encoder.
// Shapes: x (N, C, H, W) in [0, 1]; z (N, D) with D = K + L; logits (N, M).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "whence/interchange/torchscript.h"
#include "whence/nn/graph/network.h"

namespace whence::models {

class Classifier {
 public:
  virtual ~Classifier() = default;
  /// softmax(logits) are the class probabilities. Differentiable in x; never trained, always in evaluation mode.
  virtual at::Tensor logits(const at::Tensor& x) const = 0;
  virtual std::int64_t classes() const = 0;
  /// (C, H, W) of an image; empty where it is not known: an opaque model whose file does not tell it.
  virtual nn::Shape input_shape() const {
    return network() == nullptr ? nn::Shape() : network()->input_shape();
  }
  /// The layers, when they are known; nullptr for an opaque model.
  virtual const nn::Network* network() const { return nullptr; }
  /// Why it is opaque: the operation that is not known, and where it stands; "" where nothing is known of it.
  virtual std::string why_opaque() const { return ""; }
  /// In which `network` runs.
  virtual Precision precision() const { return Precision::float32; }
  /// Where it computes: inputs must lie there, and outputs do.
  virtual at::Device device() const { return at::kCPU; }
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual at::Tensor decode(const at::Tensor& z) const = 0;
  virtual std::int64_t latents() const = 0;
  virtual const nn::Network* network() const { return nullptr; }
  virtual at::Device device() const { return at::kCPU; }
};

/// q(z|x), a diagonal normal distribution; both (N, D).
struct Posterior {
  at::Tensor mean, log_variance;
};

class Encoder {
 public:
  virtual ~Encoder() = default;
  virtual Posterior encode(const at::Tensor& x) const = 0;
  virtual std::int64_t latents() const = 0;
  /// Its outputs are the mean and the log-variance, or one that holds both with the mean first; nullptr: opaque.
  virtual const nn::Network* network() const { return nullptr; }
  /// (C, H, W) of an image; empty where it is not known.
  nn::Shape input_shape() const { return network() == nullptr ? nn::Shape() : network()->input_shape(); }
  virtual at::Device device() const { return at::kCPU; }
};

/// Roles played by whence's own networks, frozen (Network::frozen) in evaluation mode. A classifier whose output has the
/// shape (classes, 1, 1) gets a Flatten behind it. They compute where the network lies.
std::unique_ptr<Classifier> as_classifier(const nn::Network& network,
                                          Precision precision = Precision::float32);
std::unique_ptr<Decoder> as_decoder(const nn::Network& network, Precision precision = Precision::float32);
/// The network has two outputs: mean and log-variance.
std::unique_ptr<Encoder> as_encoder(const nn::Network& network, Precision precision = Precision::float32);

/// What an imported classifier returns.
enum class ClassifierOutput { automatic, logits, probabilities };

/// How an imported classifier's answer is read.
struct ClassifierReading {
  ClassifierReading(
      ClassifierOutput returned = ClassifierOutput::automatic)  // NOLINT(google-explicit-constructor)
      : output(returned) {}
  ClassifierOutput output;
  /// Of several tensors the one that holds the scores (ScriptModule::choose_output); "": there is only one.
  std::string entry;
  /// One of several independent labels (columns): the classifier has the two classes "not this label" and "this label", with the
  /// logits 0 and z, or log(p / (1 - p)) where the column is a probability.
  std::optional<std::int64_t> label;
};

/// Roles played by TorchScript and .pt2 files. They compute where `probe` lies, a decoder on `device`. `probe` is a small batch of the inputs it will get: the module is run on it
/// once to learn its output and to check it. A module whose operations are all known is translated to a Network and
/// runs as one, in the asked precision; any other stays opaque (network() is nullptr) and runs in float32.
/// Errors (file named): a shape that the module rejects, a batch size that its export fixed, an output that is not (N, M), (N, M, 1, 1)
/// or (N) (decoders: (N, ...)) for the batch, NaN or infinity, answers that change when the module is asked again, gets a sample
/// alone or beside other samples, `probabilities` asked but rows that are negative or do not sum to 1 within 1e-3, no such label.
/// `automatic` takes rows that are probabilities as such, refuses independent labels of which none is chosen (numbers that stay in
/// [0, 1] for any input, in rows that do not sum to 1), and takes everything else as logits. A single column is the label against its
/// absence. The logits of a classifier that ends in a softmax (or its logarithm, or a sigmoid) are what this gets, where its code
/// shows that, else log(max(p, 1e-12)) or log(p / (1 - p)). A model that gives no gradient fails only when one is asked for.
std::unique_ptr<Classifier> load_classifier(const std::filesystem::path& file, const at::Tensor& probe,
                                            const ClassifierReading& reading = {},
                                            Precision precision = Precision::float32);
/// The same with a probe of random images of the shape that the file tells (ScriptModule::input_shape). Error besides: it
/// does not tell one.
std::unique_ptr<Classifier> load_classifier(const std::filesystem::path& file,
                                            const ClassifierReading& reading = {},
                                            Precision precision = Precision::float32);
/// Error besides: a decoder that rejects (n, latents).
std::unique_ptr<Decoder> load_decoder(const std::filesystem::path& file, std::int64_t latents,
                                      Precision precision = Precision::float32, at::Device device = at::kCPU);
/// Returns (mean, log_variance), or one tensor (N, 2D) with the mean first.
std::unique_ptr<Encoder> load_encoder(const std::filesystem::path& file, const at::Tensor& probe,
                                      Precision precision = Precision::float32);

}  // namespace whence::models
