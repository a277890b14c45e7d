// The sections of a run's report.
#include "experiment/display.h"
#include "kinds/gce/curves.h"
#include "kinds/gce/figures.h"
#include "kinds/gce/findings.h"
#include "kinds/gce/flow_report.h"
#include "kinds/gce/gce.h"
#include "kinds/generator/live.h"

namespace whence::kinds {
namespace {

using experiment::Run;
using report::Section;

const nlohmann::json& gce_part(const Run& run, const char* part) { return run.metrics.at("gce").at(part); }

Section sweeps_section(const Run& run) {
  Section section{"sweeps", "The effect of each factor", {}, {}, {}};
  section.paragraphs.emplace_back(
      "Each row is a test image. One factor moves away from the image's own value, all others are kept; the "
      "border is the classifier's answer.");
  const auto shown =
      shown_factors(gce_part(run, "information_flow"), run.session.get<FigureOptions>().others);
  for (const std::string& factor : shown) section.figures.push_back(run.figure("sweep-" + factor, factor));
  if (const std::size_t all = factor_names(run.session).size(); shown.size() < all)
    section.paragraphs.push_back(
        fmt::format("{} of the {} factors are shown: the causal ones, and the others with the largest "
                    "information flow.",
                    shown.size(), all));
  section.tables.push_back(brightness_table(gce_part(run, "brightness")));
  return section;
}

Section strips_section(const Run& run, const Findings& findings) {
  Section section{"strips", "The transitions in small steps", {}, {}, {}};
  for (const Extreme& factor : findings.causal)
    section.figures.push_back(run.figure("strip-" + factor.factor, factor.factor));
  return section;
}

Section training_section(const Run& run) {
  return {"training",
          "Training",
          {fmt::format(
              "{} steps in {}. C is the causal effect, SSE and KL are the two parts of the image model's "
              "loss; all on training batches, smoothed.",
              gce_part(run, "steps").get<std::int64_t>(),
              experiment::clock_time(gce_part(run, "train_seconds").get<double>()))},
          {},
          {run.figure("training", "C, SSE and KL over the steps.")}};
}

}  // namespace

void report_gce(const Run& run, report::Page& page) {
  const Findings findings = findings_of(run.metrics);
  const report::FigureRef reconstructions =
      run.figure("reconstructions", "Test images above, their reconstructions below.");
  if (page.answer.empty()) {
    page.answer = answer(findings);
    page.headlines = headlines(findings);
    page.lead = {
        run.figure("information-flow", "How much each factor moves the classifier's answer."),
        run.figure("sweep-" + findings.causal.front().factor,
                   "The strongest factor: each row is a test image, the border the predicted class.")};
  }
  if (auto live = live_section(run, /*explained=*/true)) page.sections.push_back(std::move(*live));
  const auto add = [&](Section section) { page.sections.push_back(std::move(section)); };
  add(sweeps_section(run));
  add(strips_section(run, findings));
  add(flow_section(run, gce_part(run, "information_flow"), run.metrics.at("data").at("classes").size()));
  add(ablation_section(run, gce_part(run, "ablation"), factor_names(run.session), "test images"));
  add({"reconstructions",
       "Reconstructions",
       image_model_paragraphs(run.metrics.at("gce")),
       {},
       {reconstructions}});
  add(trust_section(gce_part(run, "trust")));
  if (std::filesystem::exists(run.session.folder() / "figures/training.svg")) add(training_section(run));
}

}  // namespace whence::kinds
