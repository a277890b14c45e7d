#include "report/page.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "unit/report/picture.h"
#include "whence/core/error.h"
#include "whence/core/files.h"

namespace whence::report {
namespace {

using test::contains;

constexpr const char* wide_svg = "<svg viewBox=\"0 0 800 400\" xmlns=\"http://www.w3.org/2000/svg\"></svg>";
constexpr const char* tall_svg = "<svg viewBox=\"0 0 400 800\" xmlns=\"http://www.w3.org/2000/svg\"></svg>";

Section section_of(std::string id) {
  Section section;
  section.title = "Section " + id;
  section.id = std::move(id);
  return section;
}

std::string html_of(const Page& page, const test::TemporaryFolder& folder) {
  write_page(page, folder / "report.html");
  return read_file(folder / "report.html");
}

TEST(Page, TextIsEscapedAndBoldIsBold) {
  const test::TemporaryFolder folder;
  write_file(folder / "f.svg", wide_svg);
  const std::string odd = "<i>&\"' **bold < & ** and ** alone";
  Page page;
  page.title = page.subtitle = page.answer = odd;
  page.headlines = {{odd, odd, odd, Headline::Mood::good}};
  page.lead = {{folder / "f", odd}};
  Section section = section_of("s");
  section.title = odd;
  section.paragraphs = {odd};
  section.tables = {{{odd, "n"}, {{odd, "1"}}, odd}};
  page.sections = {section};
  const std::string html = html_of(page, folder);
  EXPECT_FALSE(contains(html, "<i>"));
  EXPECT_TRUE(
      contains(html, "<p>&lt;i&gt;&amp;&quot;&#39; <strong>bold &lt; &amp; </strong> and ** alone</p>"));
  EXPECT_TRUE(contains(html, "<h2>&lt;i&gt;&amp;&quot;&#39; **bold"));
  EXPECT_TRUE(contains(html, "alt=\"&lt;i&gt;&amp;&quot;&#39; bold &lt; &amp;  and  alone\""));
  texts_of(folder / "report.html");
}

TEST(Page, NeedsNothingFromOutside) {
  const test::TemporaryFolder folder;
  write_file(folder / "figures/wide.svg", wide_svg);
  Page page;
  page.title = "t";
  page.lead = {{folder / "figures/wide", "caption"}};
  std::string html = html_of(page, folder);
  const std::string name = "http://www.w3.org/";  // names of SVG's elements, which nothing fetches
  for (std::size_t at = html.find(name); at != std::string::npos; at = html.find(name))
    html.erase(at, name.size());
  for (const char* outside : {"http:", "https:", "<script", "@import", "url("})
    EXPECT_FALSE(contains(html, outside)) << outside;
  EXPECT_TRUE(contains(html, "src=\"data:image/svg+xml;charset=utf-8,%3Csvg"));
}

TEST(Page, PicturesAreLinkedRelativeToThePage) {
  const test::TemporaryFolder folder;
  write_file(folder / "figures/a b#1.svg", wide_svg);
  Page page;
  page.sections = {section_of("s")};
  page.sections[0].figures = {{folder / "figures/a b#1", "caption"}};
  EXPECT_TRUE(contains(html_of(page, folder), "href=\"figures/a%20b%231.png\""));
}

TEST(Page, AHighLeadFigureStandsBesideTheAnswer) {
  const test::TemporaryFolder folder;
  write_file(folder / "wide.svg", wide_svg);
  write_file(folder / "tall.svg", tall_svg);
  Page page;
  EXPECT_TRUE(contains(html_of(page, folder), "<header class=\"first bare\">"));
  page.lead = {{folder / "wide", "w"}};
  EXPECT_TRUE(contains(html_of(page, folder), "<header class=\"first wide\">"));
  page.lead = {{folder / "wide", "w"}, {folder / "tall", "t"}};
  const std::string html = html_of(page, folder);
  EXPECT_TRUE(contains(html, "<header class=\"first tall\">"));
  EXPECT_LT(html.find("--width: 818px"), html.find("<figure class=\"high\" style=\"--width: 418px\">"));
}

TEST(Page, FoldedSectionsAreClosedAndOpenWhenLinkedTo) {
  const test::TemporaryFolder folder;
  Page page;
  page.sections = {section_of("open"), section_of("closed")};
  page.sections[1].folded = true;
  const std::string html = html_of(page, folder);
  EXPECT_TRUE(contains(html, "<section id=\"open\">"));
  EXPECT_LT(html.find("<details><summary>"), html.find("id=\"closed\""));
  EXPECT_FALSE(contains(html, "<details open"));
  EXPECT_TRUE(contains(html, "<a href=\"#closed\">Section closed</a>"));
  texts_of(folder / "report.html");
}

TEST(Page, LongTablesAreFoldedBehindThePictures) {
  const test::TemporaryFolder folder;
  write_file(folder / "wide.svg", wide_svg);
  Page page;
  page.sections = {section_of("s"), section_of("closed")};
  page.sections[0].figures = {{folder / "wide", "picture"}};
  page.sections[0].tables = {{{"few", "nats"}, {{"a", "1"}}, ""},
                             {{"many", "nats"}, std::vector(30, std::vector<std::string>{"b", "2"}), ""}};
  page.sections[1].tables = {page.sections[0].tables[1]};
  page.sections[1].folded = true;
  const std::string html = html_of(page, folder);
  EXPECT_LT(html.find("picture"), html.find("<th scope=\"col\">few"));
  const auto folded = html.find("<details><summary>Table of 30 rows: many, nats</summary>");
  EXPECT_LT(html.find("<th scope=\"col\">few"), folded);
  ASSERT_NE(folded, std::string::npos);
  EXPECT_EQ(html.find("Table of 30 rows", folded + 30),
            std::string::npos);  // what is folded is not folded again
  texts_of(folder / "report.html");
  page.sections[0].tables[1].is_answer = true;
  page.sections.resize(1);
  EXPECT_FALSE(contains(html_of(page, folder), "Table of 30 rows"));
}

TEST(Page, ColumnsOfNumbersAreFlushRight) {
  const test::TemporaryFolder folder;
  Page page;
  page.sections = {section_of("s")};
  page.sections[0].tables = {{{"factor", "nats", "unit"},
                              {{"1", "**0.61**", "nats"}, {"2", "−0.001", "–"}, {"3", "± 0.1", ""}},
                              ""}};
  const std::string html = html_of(page, folder);
  EXPECT_TRUE(contains(html, "<th scope=\"col\" class=\"number\">nats</th>"));
  EXPECT_TRUE(contains(html, "<th scope=\"col\">unit</th>"));
  EXPECT_TRUE(contains(html, "<td class=\"number\"><strong>0.61</strong></td>"));
}

TEST(Page, MoodsAreMarkedByMoreThanColour) {
  const test::TemporaryFolder folder;
  Page page;
  page.headlines = {{"1", "a", "", Headline::Mood::good},
                    {"2", "b", "", Headline::Mood::bad},
                    {"3", "c", "", Headline::Mood::neutral}};
  const std::string html = html_of(page, folder);
  EXPECT_TRUE(contains(html, "<dd class=\"value\">1<span class=\"sign\" title=\"good\">✓</span>"));
  EXPECT_TRUE(contains(html, "<dd class=\"value\">2<span class=\"sign\" title=\"not good\">✗</span>"));
  EXPECT_TRUE(contains(html, "<dd class=\"value\">3</dd>"));
}

TEST(Page, MissingOrForeignFiguresAreSentencesAndLeaveTheOldPage) {
  const test::TemporaryFolder folder;
  write_file(folder / "report.html", "old");
  write_file(folder / "bad.svg", "no figure");
  Page page;
  page.sections = {section_of("s")};
  for (const char* stem : {"missing", "bad"}) {
    page.sections[0].figures = {{folder / stem, ""}};
    try {
      write_page(page, folder / "report.html");
      ADD_FAILURE() << stem;
    } catch (const Error& error) {
      EXPECT_TRUE(contains(error.what(), std::string(stem) + ".svg")) << error.what();
    }
  }
  EXPECT_EQ(read_file(folder / "report.html"), "old");
}

TEST(Page, ALiveSectionCarriesItsDataAndTheScriptsOnce) {
  const test::TemporaryFolder folder;
  Page page;
  page.sections = {section_of("still"), section_of("a"), section_of("b")};
  page.sections[1].live = R"({"name": "</script><b>"})";
  page.sections[2].live = "{}";
  const std::string html = html_of(page, folder);
  EXPECT_TRUE(contains(html, R"({"name": "\u003c/script>\u003cb>"})"));
  EXPECT_TRUE(contains(html, R"(data-live="live-a")"));
  EXPECT_TRUE(contains(html, "needs JavaScript"));
  const std::size_t script = html.find("const WhenceNetwork =");
  ASSERT_NE(script, std::string::npos);
  EXPECT_EQ(html.find("const WhenceNetwork =", script + 1), std::string::npos);
  page.sections.resize(1);
  EXPECT_FALSE(contains(html_of(page, folder), "<script"));
}

TEST(Page, MistakesInTheContentsAreProgrammersErrors) {
  const test::TemporaryFolder folder;
  const auto refused = [&](const std::function<void(Page&)>& spoil) {
    Page page;
    page.sections = {section_of("s"), section_of("t")};
    spoil(page);
    EXPECT_THROW(write_page(page, folder / "report.html"), c10::Error);
  };
  refused([](Page& p) { p.sections[1].id = "s"; });
  refused([](Page& p) { p.sections[1].id = ""; });
  refused([](Page& p) { p.sections[1].id = "two words"; });
  refused([](Page& p) { p.lead.resize(3); });
  refused([](Page& p) { p.sections[0].tables = {{{"one", "two"}, {{"only"}}, ""}}; });
  EXPECT_FALSE(std::filesystem::exists(folder / "report.html"));
}

}  // namespace
}  // namespace whence::report
