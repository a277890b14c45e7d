#include "whence/explain/attribution/options.h"

#include "whence/core/error.h"

namespace whence::attribution {
namespace {

void check_range(const IntegerOption& type, const Option& option, Options& values) {
  const std::int64_t value = type.at(values);
  if (value < type.least || value > type.most)
    fail_usage("{} is {}, but must be from {} to {}", option.name, value, type.least, type.most);
}

void check_range(const NumberOption& type, const Option& option, Options& values) {
  const double value = type.at(values);
  if (value >= type.least && value <= type.most) return;
  if (type.most >= kUnbounded) fail_usage("{} is {}, but must be {} or more", option.name, value, type.least);
  fail_usage("{} is {}, but must be from {} to {}", option.name, value, type.least, type.most);
}

void check_range(const TextOption&, const Option&, Options&) {}

}  // namespace

void check(const Option& option, const Options& options) {
  Options copy = options;
  std::visit([&](const auto& type) { check_range(type, option, copy); }, option.type);
}

}  // namespace whence::attribution
