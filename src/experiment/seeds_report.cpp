#include "experiment/findings.h"
#include "experiment/metrics.h"
#include "experiment/seeds.h"
#include "report/page.h"

namespace whence::experiment {
namespace {

namespace fs = std::filesystem;
using report::FigureRef;
using report::Headline;
using report::Table;

struct Followed {
  std::string factor;
  double correlation;  ///< with the one before
};

/// Writes the report over the runs of all seeds.
class SeedsReport {
 public:
  SeedsReport(const Recipe& recipe, const std::vector<SeedRun>& runs, const fs::path& folder)
      : recipe_(recipe), runs_(runs), summary_(summary_of(recipe, runs, folder)), folder_(folder) {
    for (const SeedRun& run : runs) findings_.push_back(findings_of(run.metrics));
    if (explains()) follow(findings_.front().causal.front().factor);
  }

  report::Page page() const {
    report::Page page;
    page.title = fmt::format("{}: {} seeds", recipe_.title, runs_.size());
    page.subtitle = recipe_.source;
    page.answer = answer();
    page.headlines = headlines();
    page.lead = {picture(0), picture(1)};
    page.sections = {figures()};
    if (explains()) page.sections.push_back(causes());
    if (runs_.size() > 2) page.sections.push_back(pictures());
    page.sections.push_back(folders());
    return page;
  }

 private:
  bool explains() const { return !findings_.front().causal.empty(); }

  static const NamedMetric& named(std::string_view name) {
    const auto all = named_metrics();
    return *std::find_if(all.begin(), all.end(), [&](const NamedMetric& each) { return each.name == name; });
  }

  bool measured(std::string_view name) const { return summary_["figures"].contains(name); }
  double value(std::string_view name, const char* kind) const {
    return summary_["figures"][std::string(name)][kind].get<double>() * shown_per_measured(named(name).unit);
  }
  /// In the figure's unit, with its digits.
  static std::string number(std::string_view name, double shown) {
    return fmt::format("{:.{}f}", shown, named(name).digits);
  }
  /// "0.684 nats"
  std::string median(std::string_view name) const {
    const std::string_view unit = named(name).unit;
    return number(name, value(name, "median")) + (unit.empty() ? "" : fmt::format(" {}", unit));
  }
  /// "0.683 to 0.685"
  std::string range(std::string_view name) const {
    return fmt::format("{} to {}", number(name, value(name, "least")), number(name, value(name, "most")));
  }
  bool came_back() const { return value("same_causes", "least") >= kCameBack; }

  std::string answer() const {
    if (!explains())
      return fmt::format("With {} seeds the autoencoder comes to SSE + KL = **{}** ({}).", runs_.size(),
                         median("bound"), range("bound"));
    return fmt::format(
        "With {} seeds the causal factors carry **{}** ({}) of the {:.3f} that are possible. **{}**: over "
        "the "
        "test images, the alphas of each seed correlate with those of the next by {} (all together, median; "
        "{}).",
        runs_.size(), median("flow"), range("flow"), findings_.front().most_possible,
        came_back() ? "The same causes come back with every seed"
                    : "Another seed finds other causes, so one run shows one of several explanations",
        median("same_causes"), range("same_causes"));
  }

  std::vector<Headline> headlines() const {
    std::vector<Headline> lines;
    for (const char* name : {"flow", "beta_share", "bound", "accuracy", "reencoded"})
      if (measured(name)) lines.push_back({median(name), std::string(named(name).title), range(name)});
    if (explains())
      lines.push_back({median("same_causes"), "correlation of the alphas of two seeds", range("same_causes"),
                       came_back() ? Headline::Mood::good : Headline::Mood::bad});
    return lines;
  }

  static const nlohmann::json& matches(const SeedRun& run) {
    return run.metrics.at("gce").at("trust").at("seeds").at("alpha");
  }

  /// From seed to seed, what is most like `factor` of the first.
  void follow(const std::string& factor) {
    followed_ = {{factor, 1}};
    for (std::size_t i = 0; i + 1 < runs_.size(); ++i) {
      for (const nlohmann::json& match : matches(runs_[i])) {
        if (match.at("factor") != followed_.back().factor) continue;
        followed_.push_back({match.at("other").get<std::string>(), match.at("correlation").get<double>()});
        break;
      }
    }
  }

  /// What is looked at first in that run: the first seed's strongest factor, and what it is there.
  FigureRef picture(std::size_t i) const {
    const std::string seed = fmt::format("Seed {}", runs_[i].seed);
    if (!explains())
      return {runs_[i].folder / "figures/reconstructions",
              seed + ": test images above, their reconstructions below."};
    const Followed& shown = followed_.at(i);
    const std::string why =
        i == 0 ? "its strongest factor"
               : fmt::format("most like {} of seed {} (correlation {:.2f}, perhaps mirrored)",
                             followed_[i - 1].factor, runs_[i - 1].seed, shown.correlation);
    return {runs_[i].folder / ("figures/sweep-" + shown.factor),
            fmt::format("{}: {}, {}; the border is the predicted class.", seed, shown.factor, why)};
  }

  report::Section figures() const {
    Table table{{"", "median", "least", "most"}, {}, "Test data. The spread is of the seeds."};
    for (const SeedRun& run : runs_) table.header.push_back(fmt::format("seed {}", run.seed));
    for (const NamedMetric& figure : named_metrics()) {
      if (!measured(figure.name)) continue;
      const std::string name(figure.name);
      std::vector<std::string> row = {
          fmt::format("{}{}", figure.title, figure.unit.empty() ? "" : fmt::format(" ({})", figure.unit))};
      for (const char* kind : {"median", "least", "most"}) row.push_back(number(name, value(name, kind)));
      for (const nlohmann::json& single : summary_["figures"][name]["values"])
        row.push_back(number(name, single.get<double>() * shown_per_measured(figure.unit)));
      table.rows.push_back(std::move(row));
    }
    return {"figures", "How the figures spread", {}, {table}, {}};
  }

  report::Section causes() const {
    Table table{{"seed", "factor", "in the next seed", "correlation"}, {}, ""};
    for (const SeedRun& run : runs_)
      for (const nlohmann::json& match : matches(run))
        table.rows.push_back({std::to_string(run.seed), match.at("factor").get<std::string>(),
                              match.at("other").get<std::string>(),
                              fmt::format("{:.3f}", match.at("correlation").get<double>())});
    return {"causes",
            "Whether the same causes come back",
            {"Each causal factor with the one of the next seed's run (of the first, for the last) that it is "
             "most like, over the test images. A mirrored factor counts as the same. Alphas that are turned "
             "into each other correlate less one by one than all together: the objective does not tell "
             "rotations apart."},
            {table},
            {}};
  }

  report::Section pictures() const {
    report::Section section{"pictures", "The other seeds", {}, {}, {}};
    for (std::size_t i = 2; i < runs_.size(); ++i) section.figures.push_back(picture(i));
    return section;
  }

  report::Section folders() const {
    Table table{{"seed", "report", "time"}, {}, ""};
    for (const SeedRun& run : runs_)
      table.rows.push_back({std::to_string(run.seed),
                            (run.folder.lexically_relative(folder_) / "report.html").string(),
                            clock_time(metric(run.metrics, "total_seconds").value_or(0))});
    return {"runs",
            "Each run",
            {"Every seed has a report of its own beside this one; seeds.json has the figures."},
            {table},
            {}};
  }

  const Recipe& recipe_;
  const std::vector<SeedRun>& runs_;
  nlohmann::json summary_;
  fs::path folder_;
  std::vector<Findings> findings_;
  std::vector<Followed> followed_;  ///< one a run; none without an explanation
};

}  // namespace

void report_seeds(const Recipe& recipe, const std::vector<SeedRun>& runs, const fs::path& folder) {
  report::write_page(SeedsReport(recipe, runs, folder).page(), folder / "report.html");
}

}  // namespace whence::experiment
