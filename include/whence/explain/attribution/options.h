// Options of attribution methods, described as data: recipes, flags and reference pages are made from the descriptions.
#pragma once

#include <any>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <typeindex>
#include <variant>

#include "whence/core/progress.h"
#include "whence/explain/attribution/attribution.h"

namespace whence::counterfactual {
struct ImageModel;
}

namespace whence::models {
class Translator;
}

namespace whence::attribution {

/// What all methods share, and a structure for each method that has options of its own:
///   Options options;
///   options.of<SmoothGrad>().samples = 100;
class Options {
 public:
  Score score = Score::logit;
  std::int64_t batch = kRowsAtOnce;  ///< images that go through the classifier at once: bounds the memory
  /// Of random draws. All images see the same draws, so that an image's map does not depend on the images beside it.
  std::uint64_t seed = 0;
  at::Tensor references;  ///< images of the data, (M, C, H, W), for methods that draw baselines from them
  at::Tensor
      training;  ///< images of the data, (M, C, H, W), that methods learn from; undefined: the references
  /// An autoencoder of the images with the codes of some of the data, for methods that move along images of the data.
  std::shared_ptr<const counterfactual::ImageModel> generator;
  /// Of the images and the classifier's classes, for paths that it makes instead of the autoencoder (ImagePath::baseline).
  std::shared_ptr<const models::Translator> translator;
  ProgressCallback progress;  ///< told after each batch of images; may throw to stop the work

  /// Made with its defaults when first asked for.
  template <class Own>
  Own& of() {
    std::any& value = own_[typeid(Own)];
    if (!value.has_value()) value = Own();
    return *std::any_cast<Own>(&value);
  }
  template <class Own>
  const Own& of() const {
    static const Own defaults{};
    const auto found = own_.find(typeid(Own));
    return found == own_.end() ? defaults : *std::any_cast<Own>(&found->second);
  }

 private:
  std::map<std::type_index, std::any> own_;
};

template <class Own, class Value>
Own owner_of(Value Own::*);
/// Where an option lies: place<&SmoothGrad::samples>.
template <auto member>
constexpr auto place = [](Options& options) -> auto& {
  return options.of<decltype(owner_of(member))>().*member;
};

struct IntegerOption {
  std::int64_t& (*at)(Options&);
  std::int64_t least, most;
};
/// The upper end of numbers that have none.
constexpr double kUnbounded = 1e9;
struct NumberOption {
  double& (*at)(Options&);
  double least, most = kUnbounded;
};
struct TextOption {
  std::string& (*at)(Options&);
};

/// One option that a recipe or a command line may set.
struct Option {
  std::string_view name;  ///< "smooth_grad_samples": one name in all methods
  std::variant<IntegerOption, NumberOption, TextOption> type;
  std::string_view unit;     ///< "" when it has none
  std::string_view meaning;  ///< one sentence
};

/// Error (usage): a value out of its range; names option, value and range.
void check(const Option& option, const Options& options);

}  // namespace whence::attribution
