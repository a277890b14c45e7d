// The table of attribution methods. The command line, recipes, the report, Python and the tests iterate over it.
#pragma once

#include <span>

#include "whence/explain/attribution/options.h"

namespace whence::attribution {

/// What a method is asked: at most Options::batch images at a time.
struct Request {
  const models::Classifier& classifier;
  at::Tensor x, target;
  std::int64_t first = 0;  ///< the row of x's first image in all that was asked
};

/// For what a map has one value each.
enum class Unit { value, pixel };
enum class Needs {
  nothing,     ///< beyond a classifier that is differentiable, or only a function
  layers,      ///< Classifier::network()
  references,  ///< Options::references
  training,    ///< Classifier::network() and Options::training
  generator,   ///< Options::generator
};

struct Method {
  std::string_view name;     ///< "integrated_gradients"
  std::string_view title;    ///< "integrated gradients"
  std::string_view meaning;  ///< one sentence
  std::string_view source;   ///< author and year
  Unit unit = Unit::value;
  bool is_signed = true;  ///< values below 0 speak against the class
  bool complete = false;  ///< has a completeness_error
  bool costly = false;    ///< takes hundreds of passes or more for an image
  Needs needs = Needs::nothing;
  std::span<const Option> options = {};
  Attribution (*compute)(const Request&, const Options&) = nullptr;
  /// The options with what all batches share, such as networks that are trained for the classes `target`; null: nothing.
  Options (*prepare)(const models::Classifier&, const at::Tensor& target, const Options&) = nullptr;

  /// Whether it needs Classifier::network().
  bool needs_layers() const { return needs == Needs::layers || needs == Needs::training; }

  /// The attributions of all images, batch by batch. Errors: an option out of its range, a target that is no class, images that the
  /// classifier cannot take (usage); layers of an opaque classifier, whose missing operation is named; no references or no generator
  /// (usage); a
  /// map with NaN or infinity; an interruption, which is heard between passes.
  Attribution run(const models::Classifier& classifier, const at::Tensor& x, const at::Tensor& target,
                  const Options& chosen = {}) const;
};

std::span<const Method> methods();
/// Hyphens stand for underscores. Error (usage): no such method; names the nearest.
const Method& method(std::string_view name);

}  // namespace whence::attribution
