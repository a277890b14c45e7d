#include "kinds/counterfactual/counterfactual.h"

#include "experiment/metrics.h"
#include "experiment/stages.h"
#include "kinds/gce/figures.h"
#include "kinds/gce/gce.h"
#include "report/figures.h"
#include "whence/core/random.h"

namespace whence::kinds {
namespace {

config::Schema counterfactual_sections() {
  using namespace config;
  using Search = counterfactual::CounterfactualOptions;
  return {{"counterfactual",
           "The smallest move of alpha that changes the classifier's answer, beta kept.",
           {{"images", Integer{at(&CounterfactualKindOptions::images), 0, 1'000'000'000}, "images",
             "Random test images to find counterfactuals for; 0: no counterfactuals."},
            {"radius", Number{at(&CounterfactualKindOptions::search, &Search::radius), 0, 100, true},
             "standard deviations", "The largest distance of a counterfactual's alpha from 0."},
            {"probability", Number{at(&CounterfactualKindOptions::search, &Search::probability), 0, 0.999999},
             "share", "Probability that the new class must reach; 0: being the most probable is enough."}}},
          {"figures",
           "The figures.",
           {{"counterfactuals", Integer{at(&CounterfactualKindOptions::drawn), 1, 24}, "images",
             "Test images, spread over the classes, whose counterfactual is drawn."}}}};
}

bool asked_for(const config::Values& values) {
  return explains(values) && values.get<CounterfactualKindOptions>().images > 0;
}

counterfactual::Counterfactuals search_for(Session& session, const experiment::Models& models,
                                           const at::Tensor& images, const ProgressCallback& progress) {
  return counterfactual::explain_counterfactually(*models.encoder, *models.decoder, *models.classifier,
                                                  images, causal(session),
                                                  session.get<CounterfactualKindOptions>().search, progress);
}

experiment::StageResult measure_counterfactuals(Session& session) {
  const data::Dataset& test = session.data().test;
  Generator generator = make_generator(session.seed(), "counterfactual/images");
  const at::Tensor rows = data::sample_rows(test, session.get<CounterfactualKindOptions>().images, generator);
  const auto summary = counterfactual::summarise(
      search_for(session, session.judged(), data::to_float(test, rows), session.progress));
  return {counterfactual::to_json(summary, test.class_names),
          {},
          fmt::format("{:.1f} % of {} images have a counterfactual", 100 * summary.flip_rate, summary.asked)};
}

void draw_run(experiment::Run& run, experiment::Figures& figures) {
  const experiment::Models models = run.session.judged();
  const at::Tensor images =
      figures.samples(run.session.get<CounterfactualKindOptions>().drawn, "figures/counterfactuals").images;
  draw_counterfactuals(search_for(run.session, models, images, {}), images, *models.decoder,
                       *models.classifier, run.session.task().class_names, figures.stem("counterfactuals"));
}

void report_run(const experiment::Run& run, report::Page& page) {
  page.sections.push_back(counterfactual_section(run.metrics.at("counterfactual")));
  page.sections.back().figures.push_back(run.figure(
      "counterfactuals",
      "Test images, their reconstructions, and the nearest images of another class; the border is the "
      "predicted class."));
}

std::string share_text(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string rate_sentence(const nlohmann::json& c) {
  return fmt::format(
      "A counterfactual is the smallest move of alpha that changes the classifier's answer; every beta is "
      "kept. **{} ± {:.1f} % of {} test images** have one with |alpha| up to {:g}.",
      share_text(c.at("flip_rate").get<double>()),
      100 * experiment::kInterval * c.at("flip_rate_se").get<double>(), c.at("asked").get<std::int64_t>(),
      c.at("radius").get<double>());
}

}  // namespace

experiment::Kind counterfactual_kind() {
  experiment::Kind kind{"counterfactual",
                        "How little the causal factors of an image must move to change the answer.",
                        counterfactual_sections(), asked_for};
  kind.stages = {{"counterfactual",
                  {"counterfactual", "run.seed"},
                  {"data", "classifier", "explanation"},
                  measure_counterfactuals,
                  experiment::judging_content}};
  kind.metrics = {{"flip_rate", "counterfactuals found", "%", 1, experiment::Better::higher,
                   "Test images for which a counterfactual was found.", "counterfactual.flip_rate"}};
  kind.figures = draw_run;
  kind.report = report_run;
  return kind;
}

void draw_counterfactuals(const counterfactual::Counterfactuals& counterfactuals, const at::Tensor& images,
                          const models::Decoder& decoder, const models::Classifier& classifier,
                          const std::vector<std::string>& class_names, const std::filesystem::path& stem) {
  const at::NoGradGuard no_grad;
  const std::int64_t shown = images.size(0);
  const auto first = [&](const at::Tensor& rows) { return rows.narrow(0, 0, shown); };
  report::ImageGrid grid;
  grid.title = "The smallest move of the causal factors that changes the answer";
  const at::Tensor codes = first(counterfactuals.codes), moved = first(counterfactuals.moved());
  const at::Tensor farther = decoder.decode(2 * moved - codes);
  grid.images = report::rows({images, decoder.decode(codes), decoder.decode(moved), farther});
  const auto [probability, label] =
      report::rows({first(counterfactuals.original), first(counterfactuals.before),
                    first(counterfactuals.after), classifier.logits(farther).softmax(1)})
          .max(2);
  grid.classes = label;
  grid.probabilities = probability;
  grid.class_names = class_names;
  grid.legend_name = kBordersAndNumbers;
  grid.row_labels = {"original", "reconstruction", "counterfactual", "twice as far"};
  for (std::int64_t i = 0; i < shown; ++i) {
    const bool found = counterfactuals.found[i].item<bool>();
    grid.column_labels.push_back(found ? fmt::format("{:.2f}", counterfactuals.distance[i].item<double>())
                                       : "none");
  }
  grid.column_axis = "distance that alpha was moved, in standard deviations";
  report::draw(grid, stem);
}

report::Section counterfactual_section(const nlohmann::json& c) {
  report::Section section{"counterfactuals", "Counterfactuals", {rate_sentence(c)}, {}, {}};
  if (c.contains("distance")) {
    const nlohmann::json& distance = c.at("distance");
    section.paragraphs.push_back(fmt::format(
        "Half of the moves are shorter than {:.2f} standard deviations of the factors, 95 % shorter than "
        "{:.2f}; the longest is {:.2f}. After a short move the image is close to another class.",
        distance.at("q50").get<double>(), distance.at("q95").get<double>(),
        distance.at("max").get<double>()));
    report::Table table{{"from", "to", "images", "median distance"}, {}, ""};
    for (const nlohmann::json& change : c.at("changes"))
      table.rows.push_back({change.at("from").get<std::string>(), change.at("to").get<std::string>(),
                            std::to_string(change.at("images").get<std::int64_t>()),
                            fmt::format("{:.2f}", change.at("median").get<double>())});
    section.tables.push_back(std::move(table));
  }
  section.paragraphs.push_back(fmt::format(
      "The move starts at the reconstruction. For {} of the images the reconstruction has the image's class; "
      "for the others the move changes the answer about the reconstruction, not about the image.",
      share_text(c.at("agreement").get<double>())));
  return section;
}

}  // namespace whence::kinds
