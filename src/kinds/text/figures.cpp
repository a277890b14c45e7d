// The figures of a run about texts.
#include "experiment/figures.h"

#include "kinds/gce/figures.h"
#include "kinds/text/text.h"
#include "report/figures.h"
#include "whence/explain/flow/information_flow.h"

namespace whence::kinds {
namespace {

constexpr std::int64_t kDrawnBetas = 5;

void draw_plane(const nlohmann::json& plane, const std::vector<std::string>& classes,
                const std::filesystem::path& stem) {
  report::LineChart chart;
  chart.title = "Test texts by two factors of their codes";
  chart.horizontal_axis = plane.at("x");
  report::Panel panel;
  panel.value_axis = plane.at("y");
  for (const std::string& name : classes)
    panel.series.push_back({.name = name, .x = {}, .y = {}, .marks = true});
  for (const nlohmann::json& point : plane.at("points")) {
    report::Series& series = panel.series.at(point[2].get<std::size_t>());
    series.x.push_back(point[0]);
    series.y.push_back(point[1]);
  }
  std::erase_if(panel.series, [](const report::Series& series) { return series.x.empty(); });
  chart.panels.push_back(std::move(panel));
  report::draw(chart, stem);
}

}  // namespace

std::vector<std::string> text_factors(const Session& session) {
  const models::SentenceVaeShape& shape = session.get<TextExplanationOptions>().shape;
  return flow::factor_names(shape.causal, shape.latents());
}

void draw_text(experiment::Run& run, experiment::Figures& figures) {
  const nlohmann::json& own = run.metrics.at("text");
  const std::vector<std::string> classes = run.metrics.at("data").at("classes");
  const std::vector<std::string> shown = shown_factors(own.at("flow"), kDrawnBetas);
  draw_flow(own.at("flow"), shown, classes.size(), figures.stem("information-flow"));
  draw_ablation(own.at("ablation"), shown, run.session.get<TextExplanationOptions>().shape.causal,
                figures.stem("ablation"));
  draw_plane(own.at("plane"), classes, figures.stem("plane"));
}

}  // namespace whence::kinds
