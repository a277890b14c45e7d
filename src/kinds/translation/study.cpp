// Translations of some images with every measure, beside adversarial changes of the same images.
#include <nlohmann/json.hpp>

#include "explain/flow/classify.h"
#include "kinds/translation/translation.h"

namespace whence::kinds {
namespace {

using at::Tensor;

constexpr std::int64_t kPathSteps = 5;

Tensor two_most_probable(const models::Classifier& classifier, const Tensor& images) {
  std::vector<Tensor> answers;
  flow::for_batches(images.size(0), flow::kBatch, [&](std::int64_t first, std::int64_t count) {
    answers.push_back(
        std::get<1>(flow::probabilities_of(classifier, images.narrow(0, first, count)).topk(2, 1)));
  });
  return at::cat(answers);
}

}  // namespace

TranslationStudy study_translations(const TranslationModels& models, const at::Tensor& images,
                                    const std::string& target, double entropy, bool with_controls) {
  const at::NoGradGuard no_grad;
  const Tensor all = images.to(models.classifier.device());
  TranslationStudy study;
  study.asked = images.size(0);
  study.target = target;
  study.cases = cases_of(two_most_probable(models.classifier, all), models.class_names, target);
  study.images = all.index_select(0, study.cases.rows);
  const Tensor &from = study.cases.from, &to = study.cases.to;
  study.ways.push_back(
      translation_way(models.classifier, models.translator, study.images, from, to, entropy));
  if (with_controls)
    for (const counterfactual::Ball ball : {counterfactual::Ball::l2, counterfactual::Ball::linf})
      study.ways.push_back(adversarial_way(models.classifier, study.images, from, to, ball, entropy));
  counterfactual::Judges judges;
  judges.independent = models.independent;
  judges.autoencoders = models.autoencoders;
  judges.images = models.known;
  for (Way& way : study.ways) way.judged = counterfactual::judge(judges, study.images, way.after, from, to);
  return study;
}

nlohmann::json to_json(const TranslationStudy& study, double entropy) {
  nlohmann::json ways = nlohmann::json::object();
  for (const Way& way : study.ways) ways[way.name] = to_json(way);
  return {{"images", study.asked},
          {"cases", study.cases.rows.size(0)},
          {"left_out", study.cases.left_out},
          {"target", study.target},
          {"entropy", entropy},
          {"ways", ways}};
}

report::ImageGrid translation_figure(const TranslationStudy& study, const TranslationModels& models,
                                     std::int64_t shown) {
  const at::NoGradGuard no_grad;
  shown = std::min(shown, study.cases.rows.size(0));
  const auto first = [&](const Tensor& rows) { return rows.narrow(0, 0, shown); };
  const Tensor images = first(study.images), from = first(study.cases.from), to = first(study.cases.to);
  const Tensor places = at::arange(kPathSteps, at::kDouble) / kPathSteps;
  const Tensor path = models.translator.path(images, from, to, places);
  const models::Translation there = models.translator.translate_to(images, to);
  const Tensor back = models.translator.translate_to(there.images, from).images;
  report::ImageGrid grid;
  grid.title = "Each image, translated to another class";
  std::vector<Tensor> rows = {images}, answered = {images};
  grid.row_labels = {"original"};
  for (std::int64_t i = 0; i < kPathSteps; ++i) {
    rows.push_back(path[i]);
    answered.push_back(path[i]);
    grid.row_labels.push_back(fmt::format("path {:.1f}", places[i].item<double>()));
  }
  rows.push_back(there.images);
  rows.push_back(report::heat_map(there.mask.squeeze(1)));
  rows.push_back(back);
  answered.insert(answered.end(), {there.images, there.images, back});
  for (const char* label : {"translation", "its mask", "translated back"})
    grid.row_labels.emplace_back(label);
  for (Tensor& row : rows) row = row.expand({shown, 3, -1, -1});
  grid.images = report::rows(rows);
  grid.classes = models.classifier.logits(at::cat(answered)).argmax(1).view({-1, shown}).cpu();
  grid.class_names = models.class_names;
  grid.legend_name = "the classifier says:";
  const auto name_at = [&](const Tensor& labels, std::int64_t i) {
    return models.class_names[static_cast<std::size_t>(labels[i].item<std::int64_t>())];
  };
  for (std::int64_t i = 0; i < shown; ++i)
    grid.column_labels.push_back(fmt::format("{} to {}", name_at(from, i), name_at(to, i)));
  grid.column_axis = "the classifier's answer, and the class that is asked for";
  return grid;
}

}  // namespace whence::kinds
