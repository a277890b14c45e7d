// Whether other seeds find the same causes.
#include "experiment/seeds.h"

#include "kinds/gce/findings.h"
#include "kinds/gce/gce.h"

namespace whence::kinds {
namespace {

using experiment::SeedRun;
using experiment::SeedSpread;
using report::FigureRef;

/// Each alpha of a run with what it is most like in the next seed's.
const nlohmann::json& matches(const SeedRun& run) {
  return run.metrics.at("gce").at("trust").at("seeds").at("alpha");
}

/// The first seed's strongest factor, and what it is in the runs after it.
std::vector<FigureRef> followed(const std::vector<SeedRun>& runs, std::string factor) {
  std::vector<FigureRef> pictures;
  std::string why = "its strongest factor";
  for (const SeedRun& run : runs) {
    pictures.push_back(
        {run.folder / ("figures/sweep-" + factor),
         fmt::format("Seed {}: {}, {}; the border is the predicted class.", run.seed, factor, why)});
    for (const nlohmann::json& match : matches(run)) {
      if (match.at("factor") != factor) continue;
      why = fmt::format("most like {} of seed {} (correlation {:.2f}, perhaps mirrored)", factor, run.seed,
                        match.at("correlation").get<double>());
      factor = match.at("other").get<std::string>();
      break;
    }
  }
  return pictures;
}

report::Section causes_section(const std::vector<SeedRun>& runs) {
  report::Table table{{"seed", "factor", "in the next seed", "correlation"}, {}, ""};
  for (const SeedRun& run : runs)
    for (const nlohmann::json& match : matches(run))
      table.rows.push_back({std::to_string(run.seed), match.at("factor").get<std::string>(),
                            match.at("other").get<std::string>(),
                            fmt::format("{:.3f}", match.at("correlation").get<double>())});
  return {"causes",
          "Agreement between seeds",
          {"Each causal factor beside the most similar one of the next seed (of the first, for the last), "
           "over the test images. A mirrored factor is the same factor. Rotated alphas correlate less one by "
           "one than all together; the objective cannot distinguish rotations."},
          {table},
          {}};
}

}  // namespace

void report_gce_seeds(const SeedSpread& spread, report::Page& page) {
  using enum report::Headline::Mood;
  const std::vector<SeedRun>& runs = spread.runs();
  const Findings first = findings_of(runs.front().metrics);
  const std::vector<FigureRef> pictures = followed(runs, first.causal.front().factor);
  for (const char* name : {"flow", "beta_share", "bound", "accuracy", "reencoded"})
    if (const SeedSpread::Row* row = spread.find(name))
      page.headlines.push_back({row->median(), std::string(row->metric.title), row->range()});
  const SeedSpread::Row &flow = *spread.find("flow"), &causes_found = *spread.find("same_causes");
  const bool came_back = causes_found.spread.least >= kCameBack;
  page.answer = fmt::format(
      "With {} seeds the causal factors carry **{}** ({}) of the {:.3f} that are possible. **{}**: over "
      "the test "
      "images, the alphas of each seed correlate with those of the next by {} (all together, median; {}).",
      runs.size(), flow.median(), flow.range(), first.most_possible,
      came_back ? "The same causes come back with every seed"
                : "Another seed finds other causes: one run is one of several explanations",
      causes_found.median(), causes_found.range());
  page.headlines.push_back({causes_found.median(), "correlation of the alphas of two seeds",
                            causes_found.range(), came_back ? good : bad});
  page.sections.push_back(causes_section(runs));
  page.lead.assign(pictures.begin(), pictures.begin() + 2);
  if (pictures.size() > 2)
    page.sections.push_back({"pictures", "The other seeds", {}, {}, {pictures.begin() + 2, pictures.end()}});
}

}  // namespace whence::kinds
