#include "report/text.h"

#include <gtest/gtest.h>

#include "report/canvas.h"
#include "report/gnuplot.h"
#include "report/svg.h"
#include "whence/core/error.h"

namespace whence::report {
namespace {

TEST(Text, CleanKeepsUtf8AndReplacesWhatIsNot) {
  EXPECT_EQ(clean_text("α₁ → 日本 🎈"), "α₁ → 日本 🎈");
  EXPECT_EQ(clean_text("a\tb\nc\x7F"), "a b c ");
  EXPECT_EQ(clean_text("\xFF"), "\xEF\xBF\xBD");
  EXPECT_EQ(clean_text("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");              // overlong
  EXPECT_EQ(clean_text("x\xE2\x82"), "x\xEF\xBF\xBD\xEF\xBF\xBD");            // cut short
  EXPECT_EQ(clean_text("\xED\xA0\x80").find('\xED'), std::string::npos);      // surrogate
  EXPECT_EQ(clean_text("\xF4\x90\x80\x80").find('\xF4'), std::string::npos);  // beyond U+10FFFF
}

TEST(Text, EscapesMarkup) {
  EXPECT_EQ(escape_markup("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
}

TEST(Text, Base64OfRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xFF\xEF\xBE"), "/+++");
}

TEST(Text, DataOfAnAttributeHoldsNothingThatEndsIt) {
  EXPECT_EQ(escape_data("<a b=\"#1%&\">\né"), "%3Ca b=%22%231%25%26%22%3E%0A%C3%A9");
}

TEST(Text, PathsGetShortNumbersAndNothingElseDoes) {
  EXPECT_EQ(
      shorten_paths("<path d=\"M -0.001 12.345678 L10.5-2.3456,7 Z\" x=\"0.166667\"/><a d=\"1.999999\""),
      "<path d=\"M 0 12.35 L10.5-2.35,7 Z\" x=\"0.166667\"/><a d=\"2\"");
  EXPECT_EQ(shorten_paths("no path 0.123456"), "no path 0.123456");
}

TEST(Text, UrlPathKeepsFoldersAndEscapesTheRest) {
  EXPECT_EQ(escape_url_path("../a b#1?\"/é.png"), "../a%20b%231%3F%22/%C3%A9.png");
}

TEST(Text, GnuplotStringHoldsNothingThatGnuplotReads) {
  EXPECT_EQ(gnuplot_string("ab 1"), "\"ab 1\"");
  EXPECT_EQ(gnuplot_string("`@\\\"'"), "\"\\140\\100\\134\\042\\047\"");
  EXPECT_EQ(gnuplot_string("0.5x5"), "\"0\\056\\065x5\"");  // no digit may follow an escape
  EXPECT_EQ(gnuplot_format("5%"), "\"5\\045\\045\"");
}

TEST(Text, WrappedLinesFitAndLoseNothing) {
  const TextStyle style{12, false, ink};
  const std::string text = "the smallest move of alpha that flips the class, with everything else kept";
  const auto lines = wrap_text(text, style, 150);
  ASSERT_GT(lines.size(), 2u);
  std::string joined;
  for (const auto& line : lines) {
    EXPECT_LE(text_width(line, style), 150);
    joined += (joined.empty() ? "" : " ") + line;
  }
  EXPECT_EQ(joined, text);
}

TEST(Text, WordsLongerThanALineAreCutAtACharacter) {
  const TextStyle style{12, false, ink};
  const auto lines = wrap_text("ααααααααααααααααααααααα", style, 60);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_LE(text_width(lines[0], style), 60);
  EXPECT_TRUE(lines[0].ends_with("α…"));
  EXPECT_EQ(clean_text(lines[0]), lines[0]);
}

TEST(Svg, IdsAreNumberedByTheirOrder) {
  EXPECT_EQ(
      number_ids("<g id=\"image77\"/><use xlink:href=\"#image77\"/><a clip-path=\"url(#clip9)\" id=\"b\"/>"),
      "<g id=\"i0\"/><use xlink:href=\"#i0\"/><a clip-path=\"url(#i1)\" id=\"i2\"/>");
}

TEST(Svg, TitleReplacesTheWritersOwnAndPixelsKeepTheirEdges) {
  EXPECT_EQ(finish_svg("<svg a=\"1\"><title>Gnuplot</title><desc>v</desc><g/></svg>", "a < b"),
            "<svg image-rendering=\"pixelated\" a=\"1\">\n<title>a &lt; b</title><g/></svg>");
}

TEST(Svg, SizeIsThatOfTheViewBox) {
  const auto size = svg_size("<svg width=\"9\" viewBox=\"0 0 640.5 480\">", "x.svg");
  EXPECT_DOUBLE_EQ(size.width, 640.5);
  EXPECT_DOUBLE_EQ(size.height, 480);
  EXPECT_THROW(svg_size("<html>", "x.svg"), Error);
  EXPECT_THROW(svg_size("<svg viewBox=\"", "x.svg"), Error);
}

}  // namespace
}  // namespace whence::report
