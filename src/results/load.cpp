#include <toml++/toml.h>

#include <cctype>
#include <set>

#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/core/names.h"
#include "whence/results/page.h"
#include "whence/run/metrics.h"

namespace whence::results {
namespace {

/// A value of the file, with what an error says about it.
struct Entry {
  const std::string& file;
  std::string_view key;
  const toml::node& node;

  std::string place() const { return fmt::format("{}:{}", file, node.source().begin.line); }
  [[noreturn]] void reject(std::string_view allowed) const {
    fail_usage("{}: {} must be {}", place(), key, allowed);
  }
  std::string text() const {
    if (!node.is_string()) reject("text in quotes");
    return node.as_string()->get();
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> all;
    if (!node.is_array()) reject("a list of texts");
    for (const toml::node& item : *node.as_array()) {
      if (!item.is_string()) reject("a list of texts");
      all.push_back(item.as_string()->get());
    }
    return all;
  }
  Quoted quoted() const {
    if (node.is_number()) return {node.value<double>(), ""};
    if (!node.is_string()) reject("a number or text in quotes");
    return {std::nullopt, text()};
  }
  Bar bar() const {
    constexpr const char* allowed = "such as \">= 1.069\" or \"<= 22.1\", without a unit";
    if (!node.is_string()) reject(allowed);
    const std::optional<Bar> bar = parse_bar(text());
    if (!bar) fail_usage("{}: {} is '{}', but must be {}", place(), key, text(), allowed);
    return *bar;
  }
  int digits() const {
    const auto* value = node.as_integer();
    if (value == nullptr || value->get() < 0 || value->get() > 9) reject("an integer from 0 to 9");
    return static_cast<int>(value->get());
  }
};

template <class Part>
struct Key {
  std::string_view name;
  void (*read)(const Entry& entry, Part& part);
  std::string_view doc;
  bool required = false;
};

/// Fills `part` from a table by its keys; `kind` is what the table describes.
template <class Part>
void read_table(const std::string& file, const std::string& kind, const toml::table& table,
                const std::vector<Key<Part>>& keys, Part& part) {
  std::vector<std::string_view> names;
  for (const Key<Part>& key : keys) names.push_back(key.name);
  for (const auto& [name, node] : table) {
    const auto found = std::find(names.begin(), names.end(), name.str());
    const Entry entry{file, name.str(), node};
    if (found == names.end())
      fail_usage("{}: {} has no key '{}'{}; `whence results --reference` lists them all", entry.place(), kind,
                 name.str(), did_you_mean(name.str(), names));
    keys[static_cast<std::size_t>(found - names.begin())].read(entry, part);
  }
  for (const Key<Part>& key : keys)
    if (key.required && !table.contains(key.name))
      fail_usage("{}:{}: {} lacks {}: {}", file, table.source().begin.line, kind, key.name, key.doc);
}

/// The tables of [[...]], each read into a part of its own.
template <class Part>
std::vector<Part> read_tables(const Entry& entry, const std::string& kind,
                              const std::vector<Key<Part>>& keys) {
  const auto expect = [&](bool good) {
    if (!good) entry.reject("tables: [{key = value, ...}, ...]");
  };
  expect(entry.node.is_array());
  std::vector<Part> parts;
  for (const toml::node& item : *entry.node.as_array()) {
    expect(item.is_table());
    Part& part = parts.emplace_back();
    part.place = fmt::format("{}:{}", entry.file, item.source().begin.line);
    read_table(entry.file, kind, *item.as_table(), keys, part);
  }
  return parts;
}

const std::vector<Key<Figure>>& figure_keys() {
  using Part = Figure;
  static const std::vector<Key<Figure>> keys = {
      {"metric", [](const Entry& e, Part& f) { f.metric = e.text(); },
       "One of the metrics below, or a path in metrics.json: \"gce.information_flow.factors.beta_2.nats\".",
       true},
      {"name", [](const Entry& e, Part& f) { f.name = e.text(); },
       "What the figure is called. A metric below brings its own name, unit and digits."},
      {"unit", [](const Entry& e, Part& f) { f.unit = e.text(); },
       "The unit to show it in; bar, stated and reference are in this unit, too."},
      {"digits", [](const Entry& e, Part& f) { f.digits = e.digits(); },
       "Digits after the point; 3 for a path."},
      {"bar", [](const Entry& e, Part& f) { f.bar = e.bar(); },
       "What the median over the runs must reach: \">= 1.069\", \"<= 22.1\"."},
      {"stated", [](const Entry& e, Part& f) { f.stated = e.quoted(); },
       "What the text states: a number or words."},
      {"reference", [](const Entry& e, Part& f) { f.reference = e.quoted(); },
       "What was measured elsewhere: a number or words."},
  };
  return keys;
}

/// What a named metric is called and shown in, unless the file says otherwise; a path needs a name.
void take_defaults(Figure& figure, const toml::table& given) {
  const auto named = run::named_metrics();
  const auto metric = std::find_if(named.begin(), named.end(),
                                   [&](const run::NamedMetric& m) { return m.name == figure.metric; });
  if (metric != named.end()) {
    if (!given.contains("name")) figure.name = metric->title;
    if (!given.contains("unit")) figure.unit = metric->unit;
    if (!given.contains("digits")) figure.digits = metric->digits;
  } else if (figure.name.empty()) {
    std::vector<std::string_view> names;
    for (const run::NamedMetric& each : named) names.push_back(each.name);
    fail_usage("{}: '{}' is no named metric{}; if it is a path in metrics.json, give the figure a name",
               figure.place, figure.metric, did_you_mean(figure.metric, names));
  }
}

std::vector<Figure> read_figures(const Entry& entry) {
  std::vector<Figure> figures = read_tables(entry, "a figure", figure_keys());
  for (std::size_t i = 0; i < figures.size(); ++i)
    take_defaults(figures[i], *entry.node.as_array()->get(i)->as_table());
  return figures;
}

const std::vector<Key<Picture>>& picture_keys() {
  using Part = Picture;
  static const std::vector<Key<Picture>> keys = {
      {"file", [](const Entry& e, Part& p) { p.file = e.text(); },
       "A PNG, SVG or JPEG in the run's folder, at most 1 MiB: \"figures/sweep-alpha_1.png\". With `curves`, "
       "the PNG "
       "or SVG that is made of them.",
       true},
      {"caption", [](const Entry& e, Part& p) { p.caption = e.text(); }, "What it shows.", true},
      {"run", [](const Entry& e, Part& p) { p.run = e.text(); },
       "The run it is from; the experiment's first finished one by default."},
      {"curves", [](const Entry& e, Part& p) { p.curves = e.texts(); },
       "Instead of a run's file: the runs whose training curves are drawn together, each named by what sets "
       "its "
       "recipe apart. The picture is left out until all of them are finished."},
  };
  return keys;
}

const std::vector<Key<Experiment>>& experiment_keys() {
  using Part = Experiment;
  static const std::vector<Key<Experiment>> keys = {
      {"name", [](const Entry& e, Part& x) { x.name = e.text(); }, "The heading of its section.", true},
      {"recipe",
       [](const Entry& e, Part& x) {
         x.recipe = (std::filesystem::path(e.file).parent_path() / e.text()).lexically_normal();
       },
       "The recipe, relative to this file; runs that differ from it are named."},
      {"set", [](const Entry& e, Part& x) { x.settings = e.texts(); },
       "What the runs set beside the recipe: [\"explanation.causal=2\"]."},
      {"source", [](const Entry& e, Part& x) { x.source = e.text(); }, "The text it is from."},
      {"stated", [](const Entry& e, Part& x) { x.stated = e.text(); }, "What the text states, in words."},
      {"shortfall", [](const Entry& e, Part& x) { x.shortfall = e.text(); },
       "Why bars are missed; without it, the page says of missed ones that it is not explained."},
      {"remark", [](const Entry& e, Part& x) { x.remark = e.text(); }, "What else the figures do not say."},
      {"runs", [](const Entry& e, Part& x) { x.runs = e.texts(); },
       "Run folders, one a seed, below the folder of all runs. `whence select`'s folders count, too.", true},
      {"figures", [](const Entry& e, Part& x) { x.figures = read_figures(e); },
       "The rows of its table, each {metric = ...}."},
      {"pictures", [](const Entry& e, Part& x) { x.pictures = read_tables(e, "a picture", picture_keys()); },
       "Pictures below it, each {file = ..., caption = ...}."},
  };
  return keys;
}

const std::vector<Key<Page>>& page_keys() {
  static const std::vector<Key<Page>> keys = {
      {"title", [](const Entry& e, Page& p) { p.title = e.text(); }, "The page's heading.", true},
      {"introduction", [](const Entry& e, Page& p) { p.introduction = e.text(); },
       "Markdown below the heading."},
      {"hours", [](const Entry& e, Page& p) { p.hours = e.bar(); },
       "What all recipes together may take, each run once: \"<= 8\"."},
      {"experiment",
       [](const Entry& e, Page& p) { p.experiments = read_tables(e, "an experiment", experiment_keys()); },
       "[[experiment]]: the sections."},
  };
  return keys;
}

void check_anchors(const Page& page) {
  std::set<std::string> anchors;
  for (const Experiment& experiment : page.experiments) {
    const std::string anchor = experiment.anchor();
    if (anchor.empty() || !anchors.insert(anchor).second)
      fail_usage("{}: the name '{}' {}; give it another", experiment.place, experiment.name,
                 anchor.empty() ? "has no letter to link to" : "is another experiment's, too");
  }
}

template <class Part>
std::string table_of_keys(const std::string& title, const std::vector<Key<Part>>& keys) {
  std::string text = fmt::format("\n## {}\n\n| key | meaning |\n|---|---|\n", title);
  for (const Key<Part>& key : keys)
    text += fmt::format("| `{}` | {}{} |\n", key.name, key.doc, key.required ? " Required." : "");
  return text;
}

}  // namespace

std::string Experiment::anchor() const {
  std::string text;
  for (const char letter : name) {
    const auto byte = static_cast<unsigned char>(letter);
    if (std::isalnum(byte) != 0 || letter == '-' || letter == '_')
      text += static_cast<char>(std::tolower(byte));
    if (letter == ' ') text += '-';
  }
  return text;
}

Page load_page(const std::filesystem::path& file) {
  const std::string name = file.string();
  Page page;
  page.file = file;
  toml::table table;
  try {
    table = toml::parse(read_file(file), name);
  } catch (const toml::parse_error& error) {
    fail_usage("{}:{}: not a page of results: {}", name, error.source().begin.line, error.description());
  }
  read_table(name, "a page of results", table, page_keys(), page);
  check_anchors(page);
  return page;
}

std::string page_reference() {
  std::string text =
      "# Pages of results\n\nWhat may stand in the file that `whence results` makes a page of.\n";
  text += table_of_keys("The page", page_keys());
  text += table_of_keys("[[experiment]]", experiment_keys());
  text += table_of_keys("Each of figures", figure_keys());
  text += table_of_keys("Each of pictures", picture_keys());
  text +=
      "\n## Units\n\n`%` and `points` show 100 times a share; `ms`, `min` and `h` show seconds, `MiB` bytes. "
      "Any other "
      "unit is shown as it is.\n\n## Metrics\n\n| metric | name | unit | meaning |\n|---|---|---|---|\n";
  for (const run::NamedMetric& metric : run::named_metrics())
    text += fmt::format("| `{}` | {} | {} | {} |\n", metric.name, metric.title, metric.unit, metric.doc);
  return text;
}

}  // namespace whence::results
