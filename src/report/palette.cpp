#include "report/palette.h"

#include <array>

namespace whence::report {
namespace {

constexpr Colour from_bytes(int red, int green, int blue) {
  return {red / 255.0, green / 255.0, blue / 255.0};
}

constexpr std::array class_colours{
    from_bytes(0x00, 0x72, 0xB2),  // blue
    from_bytes(0xE6, 0x9F, 0x00),  // orange
    from_bytes(0x00, 0x9E, 0x73),  // bluish green
    from_bytes(0xD5, 0x5E, 0x00),  // vermillion
    from_bytes(0x56, 0xB4, 0xE9),  // sky blue
    from_bytes(0xCC, 0x79, 0xA7),  // reddish purple
    from_bytes(0x00, 0x00, 0x00),  // black
    from_bytes(0xF0, 0xE4, 0x42),  // yellow
    from_bytes(0x88, 0x22, 0x55),  // wine
    from_bytes(0x33, 0x22, 0x88),  // indigo
};
constexpr std::int64_t mark_count = static_cast<std::int64_t>(Mark::ring) + 1;

}  // namespace

Colour class_colour(std::int64_t index) {
  return class_colours[static_cast<std::size_t>(index) % class_colours.size()];
}

Mark class_mark(std::int64_t index) {
  const auto round = index / static_cast<std::int64_t>(class_colours.size());
  return static_cast<Mark>((index + round) % mark_count);
}

std::string hex(Colour colour) {
  const auto byte = [](double value) { return static_cast<int>(std::lround(value * 255)); };
  return fmt::format("#{:02X}{:02X}{:02X}", byte(colour.red), byte(colour.green), byte(colour.blue));
}

}  // namespace whence::report
