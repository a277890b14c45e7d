// The section of the report.
#include <cmath>

#include "experiment/metrics.h"
#include "kinds/causes/causes.h"

namespace whence::kinds {
namespace {

std::string nats_text(const nlohmann::json& flow) {
  return fmt::format("{:.3f} ± {:.3f}", flow.at("nats").get<double>(),
                     experiment::kInterval * flow.at("se").get<double>());
}

report::Table flow_table(const nlohmann::json& study) {
  report::Table table{
      {"causal factors", "I(alpha; Y), nats", "I(beta; Y), nats", "share of the flow in the betas"},
      {},
      "With 95 % intervals. alpha: all causal factors together; beta: all others together."};
  const auto row = [&](const std::string& title, const char* name) {
    if (!study.contains(name)) return;
    const nlohmann::json& flow = study.at(name);
    table.rows.push_back({title, nats_text(flow.at("alpha")), nats_text(flow.at("beta")),
                          fmt::format("{:.1f} %", 100 * flow.at("beta_share").get<double>())});
  };
  row("straight directions", "directions");
  row("bent by a map in front of the generator", "bent");
  return table;
}

std::string how_found(const nlohmann::json& study) {
  std::string text = fmt::format(
      "The generator was trained before and stays as it is. Its {} latents are made from {} causal factors, "
      "alpha, and {} others, beta, by a map in front of "
      "it that keeps the prior: its samples are as likely as before.",
      study.at("latents").get<std::int64_t>(), study.at("causal").get<std::int64_t>(),
      study.at("latents").get<std::int64_t>() - study.at("causal").get<std::int64_t>());
  if (!study.contains("bent")) return text;
  return text + (study.at("kept") == "bent" ? " The map bends the straight directions that it started from, "
                                              "and its alpha tells more about the answer."
                                            : " A map that bends the directions was trained, too, but its "
                                              "alpha tells no more; the directions stay straight.");
}

}  // namespace

std::string causes_answer(const nlohmann::json& study, std::size_t classes) {
  const nlohmann::json& flow = study.at("flow");
  const auto causal = study.at("causal").get<std::int64_t>();
  return fmt::format(
      "**{} of the {} factors of this generator {} the classifier**: {} nats of the {:.3f} that {} classes "
      "allow. All others together have {} nats, {:.1f} % of both.",
      causal, study.at("latents").get<std::int64_t>(), causal == 1 ? "moves" : "move",
      nats_text(flow.at("alpha")), std::log(static_cast<double>(classes)), classes,
      nats_text(flow.at("beta")), 100 * flow.at("beta_share").get<double>());
}

report::Section causes_report(const nlohmann::json& study, std::size_t classes) {
  return {"causes",
          "Causes in the generator",
          {how_found(study), causes_answer(study, classes)},
          {flow_table(study)},
          {}};
}

}  // namespace whence::kinds
