// The options of a recipe or a command: one object of each options type.
#pragma once

#include <any>
#include <map>
#include <typeindex>

namespace whence::config {

/// A bag of options structures, found by their type. Copies are deep.
class Values {
 public:
  /// Made with its defaults when first asked for.
  template <class Options>
  Options& get() {
    std::any& value = values_[typeid(Options)];
    if (!value.has_value()) value = Options();
    return *std::any_cast<Options>(&value);
  }
  /// The defaults where nothing was set.
  template <class Options>
  const Options& get() const {
    static const Options defaults{};
    const auto found = values_.find(typeid(Options));
    return found == values_.end() ? defaults : *std::any_cast<Options>(&found->second);
  }

 private:
  std::map<std::type_index, std::any> values_;
};

}  // namespace whence::config
