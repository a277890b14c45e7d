// The section of the report.
#include "experiment/metrics.h"
#include "kinds/modules/study.h"

namespace whence::kinds {
namespace {

std::string estimate_text(const nlohmann::json& value, const char* mean = "mean") {
  return fmt::format("{:.3f} ± {:.3f}", value.at(mean).get<double>(),
                     experiment::kInterval * value.at("se").get<double>());
}

report::Table modules_table(const nlohmann::json& study) {
  report::Table table;
  const bool judged = study.contains("flow");
  table.header = {"module",
                  "channels",
                  "change inside its region",
                  "the same, random channels",
                  "selectivity",
                  "the same, random channels"};
  if (judged)
    for (const char* title : {"flow to the classifier (nats)", "the same, random channels",
                              "answers that flip", "answers kept when ablated"})
      table.header.emplace_back(title);
  int number = 0;
  for (const nlohmann::json& module : study.at("modules")) {
    const nlohmann::json& swaps = module.at("swaps");
    const nlohmann::json &own = swaps.at("module"), &random = swaps.at("random_channels");
    std::vector<std::string> row = {std::to_string(++number),
                                    std::to_string(module.at("channels").size()),
                                    estimate_text(own.at("inside")),
                                    estimate_text(random.at("inside")),
                                    estimate_text(own.at("selectivity")),
                                    estimate_text(random.at("selectivity"))};
    if (judged) {
      const nlohmann::json& flow = module.at("flow");
      row.push_back(estimate_text(flow, "nats"));
      row.push_back(estimate_text(flow.at("random"), "nats"));
      row.push_back(fmt::format("{:.1f} %", 100 * flow.at("flips").at("mean").get<double>()));
      row.push_back(fmt::format("{:.1f} %", 100 * flow.at("kept").front().at("mean").get<double>()));
    }
    table.rows.push_back(std::move(row));
  }
  table.caption =
      "With 95 % intervals. A module's region is the quarter of the image where its template is largest. "
      "Selectivity: how far the hybrid goes from original 1 to original 2, inside the region minus outside.";
  return table;
}

report::Table controls_table(const nlohmann::json& study) {
  report::Table table{{"measure", "this generator"},
                      {},
                      "The same architecture with new weights tells what the "
                      "architecture alone gives."};
  const nlohmann::json* fresh = study.contains("untrained") ? &study.at("untrained") : nullptr;
  if (fresh != nullptr) table.header.emplace_back("new weights");
  const auto row = [&](const std::string& title, auto&& cell) {
    std::vector<std::string> cells = {title, cell(study)};
    if (fresh != nullptr) cells.push_back(cell(*fresh));
    table.rows.push_back(std::move(cells));
  };
  row("margin: change inside the own region, minus that of random channels",
      [](const nlohmann::json& of) { return estimate_text(of.at("margin")); });
  row("selectivity of modules",
      [](const nlohmann::json& of) { return estimate_text(of.at("selectivity").at("module")); });
  row("selectivity of random channels",
      [](const nlohmann::json& of) { return estimate_text(of.at("selectivity").at("random_channels")); });
  row("selectivity of a soft blend of pixels by the template",
      [](const nlohmann::json& of) { return estimate_text(of.at("selectivity").at("soft_blend")); });
  row("cosine between the maps of two channels",
      [](const nlohmann::json& of) { return fmt::format("{:.3f}", of.at("map_cosine").get<double>()); });
  row("overlap of the maps of two channels",
      [](const nlohmann::json& of) { return fmt::format("{:.3f}", of.at("overlap").get<double>()); });
  if (study.contains("halves")) {
    row("cosine of templates from two halves of the pairs", [](const nlohmann::json& of) {
      return fmt::format("{:.3f}", of.at("halves").at("cosine").get<double>());
    });
    row("adjusted Rand index of labels from two halves", [](const nlohmann::json& of) {
      return fmt::format("{:.3f}", of.at("halves").at("rand").get<double>());
    });
  }
  return table;
}

/// Sets of images whose likeness to real ones is told, and their names.
constexpr std::array kSets = {std::pair("originals", "originals, decoded from codes"),
                              std::pair("module", "hybrids by a module"),
                              std::pair("random_channels", "hybrids by as many random channels"),
                              std::pair("soft_blend", "soft blends of pixels by the template"),
                              std::pair("hard_blend", "the region's pixels of the other original")};

std::string distance_text(const nlohmann::json& value) {
  return fmt::format("{:.2f} ± {:.2f}", value.at("mean").get<double>(),
                     experiment::kInterval * value.at("se").get<double>());
}

report::Table realism_table(const nlohmann::json& reencoding) {
  report::Table table{
      {"images", "squared error after encoder and decoder"},
      {},
      "Summed over pixels, with 95 % intervals. An image that the generator cannot make has a "
      "larger error than its originals."};
  for (const auto& [name, title] : kSets) table.rows.push_back({title, distance_text(reencoding.at(name))});
  return table;
}

report::Table distances_table(const nlohmann::json& distances) {
  report::Table table{{"images", "Frechet distance to samples of the generator"},
                      {},
                      fmt::format("In the features of the classifier, {} images a set, with 95 % intervals. "
                                  "Small sets have large distances: compare the rows, not other tables.",
                                  distances.at("images").get<std::int64_t>())};
  const bool real = distances.at("originals").contains("to_real");
  if (real) table.header.emplace_back("to real images");
  for (const auto& [name, title] : kSets) {
    const nlohmann::json& own = distances.at(name);
    std::vector<std::string> row = {title, distance_text(own.at("to_samples"))};
    if (real && own.contains("to_real")) row.push_back(distance_text(own.at("to_real")));
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string how_found(const nlohmann::json& study) {
  return fmt::format(
      "At layer '{}' the generator has {} channels. Each was taken over from another sample in {} pairs of "
      "originals ({}), and the change of the image gives its influence map (relative standard error {:.2g}). "
      "Maps that are alike form **{} modules** (Besserve et al. 2020).",
      study.at("layer").get<std::string>(), study.at("channels").get<std::int64_t>(),
      study.at("pairs").get<std::int64_t>(),
      study.at("originals") == "images" ? "encoded images" : "draws from the prior",
      study.at("relative_error").get<double>(), study.at("rank").get<std::int64_t>());
}

std::string how_modular(const nlohmann::json& study) {
  const nlohmann::json& margin = study.at("margin");
  const double beyond =
      margin.at("mean").get<double>() - experiment::kInterval * margin.at("se").get<double>();
  std::string text = fmt::format(
      "Hybrids by a module change its own region by {} more of their whole change than hybrids by as many "
      "random "
      "channels: {}",
      estimate_text(margin), beyond > 0 ? "the channels are modular." : "**the channels are not modular.**");
  if (study.contains("untrained"))
    text +=
        fmt::format(" With new weights the margin is {}.", estimate_text(study.at("untrained").at("margin")));
  return text;
}

std::string what_moves(const nlohmann::json& study) {
  int number = 0, best = 0;
  double most = -1;
  for (const nlohmann::json& module : study.at("modules")) {
    ++number;
    if (module.at("flow").at("nats").get<double>() > most) {
      most = module.at("flow").at("nats").get<double>();
      best = number;
    }
  }
  const nlohmann::json& flow = study.at("modules").at(static_cast<std::size_t>(best - 1)).at("flow");
  const double gain = flow.at("nats").get<double>() - flow.at("random").at("nats").get<double>();
  const double error = experiment::kInterval *
                       std::hypot(flow.at("se").get<double>(), flow.at("random").at("se").get<double>());
  double latent = 0;
  for (const nlohmann::json& value : study.at("flow").at("latents"))
    latent = std::max(latent, value.at("nats").get<double>());
  return fmt::format(
      "**Module {} moves the classifier most**: {} nats of the {:.3f} that all channels have; {}. Swapping "
      "it "
      "changes {:.1f} % of the answers. The largest flow of a single latent is {:.3f} nats.",
      best, estimate_text(flow, "nats"), study.at("flow").at("all").at("nats").get<double>(),
      gain > error    ? "more than as many random channels"
      : gain < -error ? "less than as many random channels"
                      : "no more than as many random channels",
      100 * flow.at("flips").at("mean").get<double>(), latent);
}

}  // namespace

std::string modules_answer(const nlohmann::json& study) {
  return study.contains("flow") ? what_moves(study) : how_found(study);
}

report::Section modules_report(const nlohmann::json& study) {
  report::Section section{
      "modules", "Modules of the generator", {how_found(study), how_modular(study)}, {}, {}};
  if (study.contains("flow")) section.paragraphs.push_back(what_moves(study));
  if (!study.at("silent").empty())
    section.paragraphs.push_back(fmt::format(
        "{} channels change nothing in any part of the image more than elsewhere; they belong to no module.",
        study.at("silent").size()));
  section.tables = {modules_table(study), controls_table(study)};
  if (study.contains("reencoding")) section.tables.push_back(realism_table(study.at("reencoding")));
  if (study.contains("frechet")) section.tables.push_back(distances_table(study.at("frechet")));
  return section;
}

}  // namespace whence::kinds
