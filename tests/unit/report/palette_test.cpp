#include "report/palette.h"

#include <gtest/gtest.h>

#include <set>

namespace whence::report {
namespace {

TEST(Palette, TenColoursDifferAndAHundredClassesAreTellableByColourAndMark) {
  std::set<std::string> colours;
  std::set<std::pair<std::string, Mark>> both;
  for (std::int64_t i = 0; i < 100; ++i) {
    if (i < 10) colours.insert(hex(class_colour(i)));
    both.insert({hex(class_colour(i)), class_mark(i)});
  }
  EXPECT_EQ(colours.size(), 10u);
  EXPECT_EQ(both.size(), 100u);
}

TEST(Palette, FirstColourIsOkabeAndItosBlue) { EXPECT_EQ(hex(class_colour(0)), "#0072B2"); }

}  // namespace
}  // namespace whence::report
