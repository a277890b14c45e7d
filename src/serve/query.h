// What a request may ask, read with suspicion: every value has a type and a range.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace whence::serve {

/// A request that cannot be answered; its text is one sentence for whoever sent it.
class BadRequest : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A parameter of a request; nothing where it was not given.
using Parameter = std::function<std::optional<std::string>(const char* name)>;

/// Error (BadRequest): not there although `fallback` is nothing; not a whole number from least to most.
std::int64_t integer(const Parameter& parameter, const char* name, std::int64_t least, std::int64_t most,
                     std::optional<std::int64_t> fallback = {});
/// As integer; NaN is refused.
double number(const Parameter& parameter, const char* name, double least, double most, double fallback);
/// The place of the word in `words`; 0 where it was not given. Error (BadRequest): another word.
std::size_t word(const Parameter& parameter, const char* name, const std::vector<std::string>& words);
/// "3,17,4": at most `most_numbers` of 0 .. most. Errors (BadRequest).
std::vector<std::int64_t> integers(const Parameter& parameter, const char* name, std::int64_t most,
                                   std::size_t most_numbers);

}  // namespace whence::serve
