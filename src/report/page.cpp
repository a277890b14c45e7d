#include "report/page.h"

#include <fmt/ranges.h>

#include <set>

#include "report/page_scripts.h"
#include "report/page_style.h"
#include "report/svg.h"
#include "report/text.h"
#include "whence/core/files.h"

namespace whence::report {
namespace {

/// Rows from which on a table is folded: one longer than a screen hides what follows it.
constexpr std::size_t kLongTable = 24;

/// Escaped text in which **bold** is bold; a lone ** stays as it is.
std::string prose(std::string_view text) {
  constexpr std::string_view sign = "**";
  const std::string escaped = escape_markup(text);
  std::string html;
  std::size_t at = 0;
  while (at < escaped.size()) {
    const std::size_t open = escaped.find(sign, at);
    const std::size_t close = open == std::string::npos ? open : escaped.find(sign, open + sign.size());
    if (close == std::string::npos) break;
    html += escaped.substr(at, open - at);
    html += "<strong>" + escaped.substr(open + sign.size(), close - open - sign.size()) + "</strong>";
    at = close + sign.size();
  }
  return html + escaped.substr(at);
}

/// The text without its ** signs, for places that know no bold.
std::string plain(std::string text) {
  for (std::size_t at = text.find("**"); at != std::string::npos; at = text.find("**", at)) text.erase(at, 2);
  return escape_markup(text);
}

struct Figure {
  std::string uri, caption, links;
  std::string alternative;
  SvgSize size;
};

std::filesystem::path with_extension(std::filesystem::path stem, const char* extension) {
  return stem += extension;
}

Figure load(const FigureRef& reference, const std::filesystem::path& page) {
  const auto svg_path = with_extension(reference.stem, ".svg");
  const std::string svg = read_file(svg_path);
  Figure figure;
  figure.size = svg_size(svg, svg_path.string());
  // An image of its own, not inline: ids of several SVGs in one document would mix.
  figure.uri = "data:image/svg+xml;charset=utf-8," + escape_data(svg);
  figure.caption = prose(reference.caption);
  figure.alternative = plain(reference.caption);
  const auto folder = std::filesystem::absolute(page).lexically_normal().parent_path();
  for (const auto& [extension, name] : {std::pair{".png", "PNG"}, std::pair{".svg", "SVG"}}) {
    const auto path = std::filesystem::absolute(with_extension(reference.stem, extension)).lexically_normal();
    figure.links += fmt::format("{}<a href=\"{}\">{}</a>", figure.links.empty() ? "" : " · ",
                                escape_url_path(path.lexically_proximate(folder).generic_string()), name);
  }
  return figure;
}

std::string figure_html(const Figure& figure, std::string classes) {
  constexpr double padding = 18;  // page_style's, with the border
  // Broad figures scroll on a telephone, where their text would become too small; others fit.
  if (figure.size.width > 1.6 * figure.size.height) classes += classes.empty() ? "broad" : " broad";
  return fmt::format(
      "<figure{} style=\"--width: {:.0f}px\"><div class=\"drawing\"><img src=\"{}\" alt=\"{}\" "
      "width=\"{:.0f}\" "
      "height=\"{:.0f}\"></div>"
      "<figcaption>{} <span class=\"files\">{}</span></figcaption></figure>\n",
      classes.empty() ? "" : fmt::format(" class=\"{}\"", classes), figure.size.width + padding, figure.uri,
      figure.alternative, figure.size.width, figure.size.height, figure.caption, figure.links);
}

/// A number, perhaps with a sign, a bound or a unit: "0.61", "± 0.1", "≤ 2 %".
bool is_number(std::string_view cell) {
  constexpr std::string_view signs[] = {"*", "+", "-", " ", "−", "±", "≤", "≥", "<", ">", "~"};
  for (bool more = true; more;) {
    more = false;
    for (const auto sign : signs) {
      if (!cell.starts_with(sign)) continue;
      cell.remove_prefix(sign.size());
      more = true;
    }
  }
  constexpr std::size_t longest = 24;  // beyond it, text that opens with a number
  return !cell.empty() && cell[0] >= '0' && cell[0] <= '9' && cell.size() <= longest;
}

/// Set flush right: at least one number, otherwise only numbers, dashes and nothing.
bool is_numeric(const Table& table, std::size_t column) {
  const auto nothing = [](const std::string& cell) {
    return cell.empty() || cell == "-" || cell == "–" || cell == "—";
  };
  bool any = false;
  for (const auto& row : table.rows) {
    if (nothing(row[column])) continue;
    if (!is_number(row[column])) return false;
    any = true;
  }
  return any;
}

std::string table_html(const Table& table) {
  std::string html = "<div class=\"table\"><table>";
  if (!table.caption.empty()) html += "<caption>" + prose(table.caption) + "</caption>";
  std::vector<std::string> classes;
  html += "<thead><tr>";
  for (std::size_t column = 0; column < table.header.size(); ++column) {
    for (const auto& row : table.rows)
      TORCH_CHECK(row.size() == table.header.size(), "table \"", table.caption, "\": a row has ", row.size(),
                  " cells under ", table.header.size(), " headings");
    classes.emplace_back(column > 0 && is_numeric(table, column) ? " class=\"number\"" : "");
    html += fmt::format("<th scope=\"col\"{}>{}</th>", classes[column], prose(table.header[column]));
  }
  html += "</tr></thead>\n<tbody>";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (std::size_t column = 0; column < row.size(); ++column)
      html += fmt::format("<td{}>{}</td>", classes[column], prose(row[column]));
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string folded_table_html(const Table& table) {
  const std::string columns = fmt::format("{}", fmt::join(table.header, ", "));
  return fmt::format("<details><summary>Table of {} rows: {}</summary>\n{}</details>\n", table.rows.size(),
                     prose(columns), table_html(table));
}

std::string headline_html(const Headline& headline) {
  // The sign repeats the colour for those who do not see it.
  const bool good = headline.mood == Headline::Mood::good, bad = headline.mood == Headline::Mood::bad;
  const char* sign = good  ? "<span class=\"sign\" title=\"good\">✓</span>"
                     : bad ? "<span class=\"sign\" title=\"not good\">✗</span>"
                           : "";
  std::string html = fmt::format("<div class=\"headline{}\"><dt>{}</dt><dd class=\"value\">{}{}</dd>",
                                 good  ? " good"
                                 : bad ? " bad"
                                       : "",
                                 prose(headline.label), prose(headline.value), sign);
  if (!headline.note.empty()) html += fmt::format("<dd class=\"note\">{}</dd>", prose(headline.note));
  return html + "</div>\n";
}

/// Title, answer and numbers; one figure that is higher than wide stands beside them, others below.
std::string first_screen(const Page& page, const std::filesystem::path& file) {
  TORCH_CHECK(page.lead.size() <= 2, "page: at most two lead figures, not ", page.lead.size());
  std::vector<Figure> figures;
  for (const auto& reference : page.lead) figures.push_back(load(reference, file));
  const auto highest = std::max_element(figures.begin(), figures.end(), [](const Figure& a, const Figure& b) {
    return a.size.height / a.size.width < b.size.height / b.size.width;
  });
  const bool tall = !figures.empty() && highest->size.height > 0.8 * highest->size.width;
  std::string html = fmt::format("<header class=\"first {}\">\n<div class=\"statement\">\n<h1>{}</h1>\n",
                                 figures.empty() ? "bare"
                                 : tall          ? "tall"
                                                 : "wide",
                                 escape_markup(page.title));
  if (!page.subtitle.empty()) html += "<p class=\"subtitle\">" + prose(page.subtitle) + "</p>\n";
  if (!page.answer.empty()) html += "<p class=\"answer\">" + prose(page.answer) + "</p>\n";
  if (!page.headlines.empty()) {
    html += fmt::format("<dl class=\"headlines {}\">\n", page.headlines.size() % 3 == 0 ? "threes" : "pairs");
    for (const auto& headline : page.headlines) html += headline_html(headline);
    html += "</dl>\n";
  }
  html += "</div>\n";
  for (auto figure = figures.begin(); figure != figures.end(); ++figure)
    html += figure_html(*figure, tall && figure == highest ? "high" : figures.size() == 1 ? "only" : "");
  return html + "</header>\n";
}

std::string contents_html(const std::vector<Section>& sections) {
  std::string html = "<nav aria-label=\"Contents\"><div class=\"sticky\"><h2>Contents</h2>\n<ol>\n";
  for (const auto& section : sections)
    html += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", escape_markup(section.id),
                        escape_markup(section.title));
  return html + "</ol></div></nav>\n";
}

/// Where web/live.js builds its part of the page, and what it works on: data that no text in them ends early.
std::string live_html(const Section& section) {
  std::string data = section.live;
  for (std::size_t at = data.find('<'); at != std::string::npos; at = data.find('<', at))
    data.replace(at, 1, "\\u003c");
  const std::string id = escape_markup("live-" + section.id);
  return fmt::format(
      "<div class=\"live\" data-live=\"{0}\"><p>This part needs JavaScript, which is off in this "
      "browser.</p></div>\n"
      "<script type=\"application/json\" id=\"{0}\">{1}</script>\n",
      id, data);
}

std::string section_html(const Section& section, const std::filesystem::path& file) {
  std::string inside;
  for (const auto& paragraph : section.paragraphs) inside += "<p>" + prose(paragraph) + "</p>\n";
  if (!section.live.empty()) inside += live_html(section);
  if (!section.figures.empty()) {
    inside += "<div class=\"figures\">\n";
    for (const auto& reference : section.figures) inside += figure_html(load(reference, file), "");
    inside += "</div>\n";
  }
  for (const auto& table : section.tables) {
    const bool folded = !section.folded && !table.is_answer && table.rows.size() >= kLongTable;
    inside += folded ? folded_table_html(table) : table_html(table);
  }
  const std::string id = escape_markup(section.id), title = escape_markup(section.title);
  if (!section.folded)
    return fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n", id, title, inside);
  // The id stands inside, because a link to what is folded opens it.
  return fmt::format(
      "<section><details><summary><h2>{}</h2></summary>\n<div class=\"inside\" "
      "id=\"{}\">\n{}</div></details></section>\n",
      title, id, inside);
}

void check_ids(const std::vector<Section>& sections) {
  std::set<std::string> ids;
  for (const auto& section : sections)
    TORCH_CHECK(!section.id.empty() && section.id.find_first_of(" \t\n") == std::string::npos &&
                    ids.insert(section.id).second,
                "page: section \"", section.title, "\" needs an id of its own without spaces, not \"",
                section.id, "\"");
}

}  // namespace

void write_page(const Page& page, const std::filesystem::path& file) {
  check_ids(page.sections);
  const bool live = std::any_of(page.sections.begin(), page.sections.end(),
                                [](const Section& section) { return !section.live.empty(); });
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"generator\" "
      "content=\"whence\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n",
      escape_markup(page.title), std::string(page_style).append(live ? live_style : std::string_view()));
  html += first_screen(page, file);
  if (!page.sections.empty()) {
    html += "<div class=\"rest\">\n" + contents_html(page.sections) + "<main>\n";
    for (const auto& section : page.sections) html += section_html(section, file);
    html += "</main>\n</div>\n";
  }
  if (live) html += fmt::format("<script>{}</script>\n<script>{}</script>\n", parts_script, live_script);
  write_file(file, html + "</body>\n</html>\n");
}

}  // namespace whence::report
