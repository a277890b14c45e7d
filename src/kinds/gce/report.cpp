#include "experiment/curves.h"
#include "experiment/display.h"
#include "experiment/figures.h"
#include "experiment/findings.h"
#include "experiment/pipeline.h"
#include "experiment/stages.h"
#include "report/page.h"
#include "whence/core/files.h"

namespace whence::experiment {
namespace {

using report::FigureRef;
using report::Section;
using report::Table;

/// Writes the sections of one run's report.
class ReportWriter {
 public:
  explicit ReportWriter(const Session& session)
      : session_(session),
        metrics_(collect_metrics(session.folder())),
        record_(read_json(session.folder() / "run.json")),
        findings_(findings_of(metrics_)) {}

  report::Page page() const {
    report::Page page;
    page.title = session_.recipe().title;
    page.subtitle = session_.recipe().source;
    page.answer = answer(findings_);
    page.headlines = headlines(findings_);
    if (findings_.causal.empty()) {
      page.lead = {figure("reconstructions", "Test images above, their reconstructions below.")};
    } else {
      explain(page);
    }
    if (std::filesystem::exists(session_.folder() / "figures/training.svg"))
      page.sections.push_back(training());
    const Table expected = against_expected(findings_, session_.recipe().expected);
    if (!expected.rows.empty())
      page.sections.push_back({"expected", "Against the expected figures", {}, {expected}, {}});
    page.sections.push_back(machine());
    page.sections.push_back(recipe());
    return page;
  }

 private:
  void explain(report::Page& page) const {
    page.lead = {figure("information-flow", "How much each factor moves the classifier's answer."),
                 figure("sweep-" + findings_.causal.front().factor,
                        "The strongest factor: each row is a test image, the border the predicted class.")};
    page.sections = {sweeps(), strips(), flow(), ablation(), reconstructions()};
    if (metrics_.at("gce").contains("counterfactual")) page.sections.push_back(counterfactuals());
    page.sections.push_back(trust_section(metrics_.at("gce").at("trust")));
  }

  FigureRef figure(const std::string& name, const std::string& caption) const {
    return {session_.folder() / ("figures/" + name), caption};
  }

  Section sweeps() const {
    Section section{"sweeps", "What each factor does to the image", {}, {}, {}};
    section.paragraphs.emplace_back(
        "Each row is a test image. One factor is moved away from the image's own value while all others are "
        "kept; the border shows what the classifier then says.");
    const nlohmann::json& gce = metrics_.at("gce");
    const auto shown = shown_factors(gce.at("information_flow"), session_.recipe().figures.others);
    for (const std::string& factor : shown) section.figures.push_back(figure("sweep-" + factor, factor));
    if (const std::size_t all = session_.factor_names().size(); shown.size() < all)
      section.paragraphs.push_back(
          fmt::format("{} of the {} factors are shown: the causal ones, and the others with the largest "
                      "information flow.",
                      shown.size(), all));
    if (gce.contains("brightness")) section.tables.push_back(brightness_table(gce.at("brightness")));
    return section;
  }

  Section strips() const {
    Section section{"strips", "The transitions in small steps", {}, {}, {}};
    for (const auto& factor : findings_.causal) {
      section.figures.push_back(figure("strip-" + factor.factor, factor.factor));
    }
    return section;
  }

  Section flow() const {
    const nlohmann::json& flow = metrics_.at("gce").at("information_flow");
    Table table{{"factors", "nats", "standard error"}, {}, ""};
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
        {fmt::format("I(factor; Y) in nats: how much setting the factor tells about the classifier's answer, "
                     "from {} x {} draws{}. At most log {} = {:.3f} nats are possible.",
                     flow.at("samples")[0].get<std::int64_t>(), flow.at("samples")[1].get<std::int64_t>(),
                     flow.value("factor_draws", "own") == "shared" ? ", which all single factors share" : "",
                     metrics_.at("data").at("classes").size(), findings_.most_possible)},
        {table},
        {figure("information-flow", "Information flow of each factor, with 95 % intervals.")}};
  }

  Section ablation() const {
    const nlohmann::json& ablation = metrics_.at("gce").at("ablation");
    Table table{{"test images", "accuracy"}, {}, ""};
    const auto row = [&](const std::string& name, const nlohmann::json& value) {
      table.rows.push_back({name, fmt::format("{:.2f} %", 100 * value.get<double>())});
    };
    row("original", ablation.at("original"));
    row("re-encoded", ablation.at("reencoded"));
    for (const std::string& factor : session_.factor_names()) {
      row(factor + " replaced by noise", ablation.at("replaced").at(factor));
    }
    return {"ablation",
            "What a factor is worth",
            {fmt::format(
                "Accuracy of the classifier on {} test images that were encoded and decoded again, with one "
                "factor replaced by a random draw.",
                ablation.at("samples").get<std::int64_t>())},
            {table},
            {figure("ablation", "Accuracy after replacing one factor, with 95 % intervals.")}};
  }

  Section reconstructions() const {
    return {"reconstructions",
            "How well images come back",
            image_model_paragraphs(metrics_.at("gce")),
            {},
            {figure("reconstructions", "Test images above, their reconstructions below.")}};
  }

  Section counterfactuals() const {
    const nlohmann::json& result = metrics_.at("gce").at("counterfactual");
    Section section = counterfactual_section(result);
    section.figures.push_back(figure("counterfactuals",
                                     "Test images, their reconstructions, and the nearest images of another "
                                     "class; the border is the predicted class."));
    return section;
  }

  Section training() const {
    const bool explains = training_curve(session_.folder().path()).values.contains("C");
    return {"training",
            "Training",
            {fmt::format("{} steps in {}. {}SSE and KL are the two parts of the image model's loss; all on "
                         "training batches, smoothed.",
                         metrics_.at("gce").at("steps").get<std::int64_t>(),
                         clock_time(metrics_.at("gce").at("train_seconds").get<double>()),
                         explains ? "C is the causal effect, " : "")},
            {},
            {figure("training", explains ? "C, SSE and KL over the steps." : "SSE and KL over the steps.")}};
  }

  Section machine() const {
    Section section{"machine", "How it was run", {}, {}, {}, true};
    section.paragraphs.push_back(record_.at("precision").at("reason").get<std::string>());
    Table facts{{"", ""}, {}, ""};
    const auto text = [](const nlohmann::json& value) {
      return value.is_string() ? value.get<std::string>() : value.dump();
    };
    facts.rows.push_back({"whence", text(record_.at("whence"))});
    facts.rows.push_back({"seed", text(record_.at("seed"))});
    if (const auto& data = metrics_.at("data"); data.contains("files"))
      facts.rows.push_back({"files of the data set", text(data.at("files"))});
    facts.rows.push_back({"begun", text(record_.at("begun"))});
    for (const auto& [name, value] : record_.at("machine").items()) facts.rows.push_back({name, text(value)});
    facts.rows.push_back(
        {"peak memory",
         fmt::format("{:.0f} MiB", metrics_.at("peak_memory_bytes").get<double>() / (1 << 20))});
    Table seconds{{"stage", "seconds"}, {}, ""};
    for (const Stage& stage : stages()) {
      const auto key = nlohmann::json::json_pointer(fmt::format("/stages/{}/seconds", stage.name));
      if (metrics_.contains(key)) {
        seconds.rows.push_back({std::string(stage.name), fmt::format("{:.1f}", metrics_[key].get<double>())});
      }
    }
    section.tables = {facts, seconds};
    return section;
  }

  Section recipe() const {
    Table table{{"key", "value"}, {}, ""};
    const nlohmann::json values = recipe_values(
        session_.recipe(), {"title", "source", "data", "classifier", "generator", "explanation", "evaluation",
                            "counterfactual", "trust", "figures", "run", "expected"});
    for (const auto& [key, value] : values.items()) {
      if (!value.is_null()) table.rows.push_back({key, value.dump()});
    }
    return {"recipe", "Recipe", {"Every value, defaults included."}, {table}, {}, true};
  }

  const Session& session_;
  nlohmann::json metrics_, record_;
  Findings findings_;
};

}  // namespace

StageResult report_stage(Session& session) {
  const std::filesystem::path file = session.folder() / "report.html";
  report::write_page(ReportWriter(session).page(), file);
  return {{}, {"report.html"}, file.string()};
}

}  // namespace whence::experiment
