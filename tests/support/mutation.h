// Damaged files: what becomes of bytes on bad disks, in cut-off downloads and in the hands of attackers.
#pragma once

#include <random>
#include <string>

namespace whence::test {

/// `bytes` with one to four changes: flipped bits, other bytes, long runs of one byte, parts left out, doubled or taken
/// from `other`, an end that is cut off.
inline std::string mutated(std::string bytes, const std::string& other, std::mt19937_64& random) {
  const auto below = [&](std::size_t count) {
    return static_cast<std::size_t>(random() % std::max<std::size_t>(count, 1));
  };
  for (std::size_t changes = 1 + below(4); changes > 0 && !bytes.empty(); --changes) {
    const std::size_t at = below(bytes.size()),
                      length = 1 + below(std::min<std::size_t>(bytes.size() - at, 64));
    switch (below(8)) {
      case 0:
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 2:
      case 3:
        bytes[at] = static_cast<char>(random());
        break;
      case 4:
        std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), length, below(2) == 0 ? '\xff' : '\0');
        break;
      case 5:
        bytes.erase(at, length);
        break;
      case 6:
        bytes.insert(at, below(2) == 0 || other.empty() ? bytes.substr(at, length)
                                                        : other.substr(below(other.size()), length));
        break;
      default:
        if (below(8) == 0) bytes.resize(at);
    }
  }
  return bytes;
}

}  // namespace whence::test
