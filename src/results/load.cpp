#include <cctype>
#include <set>

#include "core/toml_tables.h"
#include "whence/results/page.h"
#include "whence/run/metrics.h"

namespace whence::results {
namespace {

template <class Part>
using Key = TomlKey<Part>;
using Entry = TomlEntry;

TomlKind kind_of(std::string_view name) { return {name, "`whence results --reference`"}; }

Quoted quoted_in(const Entry& entry) {
  if (entry.node.is_number()) return {entry.node.value<double>(), ""};
  if (!entry.node.is_string()) entry.reject("a number or text in quotes");
  return {std::nullopt, entry.text()};
}

Bar bar_in(const Entry& entry) {
  constexpr const char* allowed = "such as \">= 1.069\" or \"<= 22.1\", without a unit";
  if (!entry.node.is_string()) entry.reject(allowed);
  const std::optional<Bar> bar = parse_bar(entry.text());
  if (!bar) fail_usage("{}: {} is '{}', but must be {}", entry.place(), entry.key, entry.text(), allowed);
  return *bar;
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
      {"digits", [](const Entry& e, Part& f) { f.digits = static_cast<int>(e.integer(0, 9)); },
       "Digits after the point; 3 for a path."},
      {"bar", [](const Entry& e, Part& f) { f.bar = bar_in(e); },
       "What the median over the runs must reach: \">= 1.069\", \"<= 22.1\"."},
      {"stated", [](const Entry& e, Part& f) { f.stated = quoted_in(e); },
       "What the text states: a number or words."},
      {"reference", [](const Entry& e, Part& f) { f.reference = quoted_in(e); },
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
  std::vector<Figure> figures = read_tables(entry, kind_of("a figure"), figure_keys());
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
      {"before", [](const Entry& e, Part& x) { x.before = e.texts(); },
       "Commands that must be run first, whose results the runs take as generator.start or classifier.file, "
       "say."},
      {"source", [](const Entry& e, Part& x) { x.source = e.text(); }, "The text it is from."},
      {"stated", [](const Entry& e, Part& x) { x.stated = e.text(); }, "What the text states, in words."},
      {"shortfall", [](const Entry& e, Part& x) { x.shortfall = e.text(); },
       "Why bars are missed; without it, the page says of missed ones that it is not explained."},
      {"remark", [](const Entry& e, Part& x) { x.remark = e.text(); }, "What else the figures do not say."},
      {"runs", [](const Entry& e, Part& x) { x.runs = e.texts(); },
       "Run folders, one a seed, below the folder of all runs. `whence select`'s folders count, too.", true},
      {"figures", [](const Entry& e, Part& x) { x.figures = read_figures(e); },
       "The rows of its table, each {metric = ...}."},
      {"pictures",
       [](const Entry& e, Part& x) { x.pictures = read_tables(e, kind_of("a picture"), picture_keys()); },
       "Pictures below it, each {file = ..., caption = ...}."},
  };
  return keys;
}

const std::vector<Key<Page>>& page_keys() {
  static const std::vector<Key<Page>> keys = {
      {"title", [](const Entry& e, Page& p) { p.title = e.text(); }, "The page's heading.", true},
      {"introduction", [](const Entry& e, Page& p) { p.introduction = e.text(); },
       "Markdown below the heading."},
      {"hours", [](const Entry& e, Page& p) { p.hours = bar_in(e); },
       "What all recipes together may take, each run once: \"<= 8\"."},
      {"experiment",
       [](const Entry& e, Page& p) {
         p.experiments = read_tables(e, kind_of("an experiment"), experiment_keys());
       },
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
  Page page;
  page.file = file;
  const std::string name = file.string();
  const TomlKind kind = kind_of("a page of results");
  read_table(name, kind, parse_toml(file, kind.name), page_keys(), page);
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
