// "Did you mean ...?"
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace whence {

/// The candidate that `word` was probably meant to be: the fewest typing slips away (a letter put in, left
/// out, replaced, or two neighbours exchanged; Damerau 1964; upper and lower case are the same), at most one
/// slip for every three letters. The first of several equally near ones; "" when none is near.
std::string nearest_name(std::string_view word, std::span<const std::string_view> candidates);

/// " (did you mean 'NAME'?)" for the end of an error's sentence; "" when none is near.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace whence
