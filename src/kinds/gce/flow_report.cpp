#include "kinds/gce/flow_report.h"

#include <cmath>

namespace whence::kinds {

report::Section flow_section(const experiment::Run& run, const nlohmann::json& flow, std::size_t classes) {
  report::Table table{{"factors", "nats", "standard error"}, {}, ""};
  const auto row = [&](const std::string& name, const nlohmann::json& value) {
    table.rows.push_back({name, fmt::format("{:.4f}", value.at("nats").get<double>()),
                          fmt::format("{:.4f}", value.at("se").get<double>())});
  };
  row("all alpha", flow.at("alpha"));
  row("all beta", flow.at("beta"));
  for (const nlohmann::json& factor : flow.at("factors")) row(factor.at("name").get<std::string>(), factor);
  return {
      "flow",
      "Information flow",
      {fmt::format("I(factor; Y) in nats: how much the factor tells about the classifier's answer, from {} x "
                   "{} draws{}. The largest possible value is log {} = {:.3f} nats.",
                   flow.at("samples")[0].get<std::int64_t>(), flow.at("samples")[1].get<std::int64_t>(),
                   flow.value("factor_draws", "own") == "shared" ? ", which all single factors share" : "",
                   classes, std::log(static_cast<double>(classes)))},
      {table},
      {run.figure("information-flow", "Information flow of each factor, with 95 % intervals.")}};
}

report::Section ablation_section(const experiment::Run& run, const nlohmann::json& ablation,
                                 const std::vector<std::string>& factors, const std::string& subjects) {
  report::Table table{{subjects, "accuracy"}, {}, ""};
  const auto row = [&](const std::string& name, const nlohmann::json& value) {
    table.rows.push_back({name, fmt::format("{:.2f} %", 100 * value.get<double>())});
  };
  row("original", ablation.at("original"));
  row("re-encoded", ablation.at("reencoded"));
  for (const std::string& factor : factors)
    row(factor + " replaced by noise", ablation.at("replaced").at(factor));
  return {"ablation",
          "Ablation",
          {fmt::format("Accuracy of the classifier on {} {} that were encoded and decoded again, with one "
                       "factor replaced by a random draw.",
                       ablation.at("samples").get<std::int64_t>(), subjects)},
          {table},
          {run.figure("ablation", "Accuracy after replacing one factor, with 95 % intervals.")}};
}

}  // namespace whence::kinds
