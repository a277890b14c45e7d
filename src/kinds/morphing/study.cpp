#include "kinds/morphing/study.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "explain/flow/classify.h"
#include "whence/explain/counterfactual/counterfactual.h"

namespace whence::kinds {
namespace {

using at::Tensor;
Tensor decoded(const models::Decoder& decoder, const Tensor& codes, const Tensor& residual = {}) {
  std::vector<Tensor> parts;
  flow::for_batches(codes.size(0), flow::kBatch, [&](std::int64_t first, std::int64_t count) {
    parts.push_back(
        counterfactual::decode_with(decoder, codes.narrow(0, first, count),
                                    residual.defined() ? residual.narrow(0, first, count) : Tensor()));
  });
  return at::cat(parts);
}

Way morph_way(const MorphingModels& models, const MorphStudy& study) {
  return {"morph",
          "semantic morph",
          decoded(models.model.decoder, study.morphs.moved, study.morphs.residual),
          study.morphs.found(),
          study.morphs.iterations,
          {},
          study.morphs.seconds};
}

/// By the smallest move of alpha; one search for each class that is asked for.
Way counterfactual_way(const MorphingModels& models, const MorphStudy& study) {
  const auto begun = std::chrono::steady_clock::now();
  const counterfactual::Morphs& morphs = study.morphs;
  Tensor moved = morphs.codes.clone(), found = at::zeros_like(morphs.to, at::kBool);
  const Tensor targets = std::get<0>(at::_unique(morphs.to)).cpu();
  for (std::int64_t i = 0; i < targets.size(0); ++i) {
    counterfactual::CounterfactualOptions options;
    options.to = targets[i].item<std::int64_t>();
    const Tensor rows = morphs.to.eq(*options.to).nonzero().squeeze(1);
    const counterfactual::Counterfactuals own = counterfactual::find_counterfactuals(
        models.model.decoder, models.classifier, morphs.codes.index_select(0, rows), models.causal, options);
    moved.index_copy_(0, rows, own.moved());
    found.index_copy_(0, rows, own.found);
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
  return {"counterfactual",
          "latent counterfactual",
          decoded(models.model.decoder, moved, study.residual),
          found,
          {},
          {},
          taken.count()};
}

void add_controls(const MorphingModels& models, MorphStudy& study, double entropy) {
  const counterfactual::Morphs& morphs = study.morphs;
  if (models.translator != nullptr)
    study.ways.push_back(translation_way(models.classifier, *models.translator, study.images, morphs.from,
                                         morphs.to, entropy));
  if (models.causal > 0) study.ways.push_back(counterfactual_way(models, study));
  for (const counterfactual::Ball ball : {counterfactual::Ball::l2, counterfactual::Ball::linf})
    study.ways.push_back(
        adversarial_way(models.classifier, study.images, morphs.from, morphs.to, ball, entropy));
}

double share_of(const Tensor& mask) { return mask.to(at::kDouble).mean().item<double>(); }

}  // namespace

/// Share of the known images of each class whose reconstruction is as sure as the stopping rule asks.
nlohmann::json sure_images(const MorphingModels& models, double entropy) {
  const counterfactual::KnownCodes& known = models.model.known;
  const Tensor lead = known.leads;
  const Tensor sure = at::where(known.answers.eq(known.labels), lead, at::zeros_like(lead));
  const Tensor logits = at::stack({at::zeros_like(sure), sure}, 1);
  const Tensor from = at::zeros_like(known.labels), to = at::ones_like(known.labels);
  const Tensor finished = counterfactual::is_finished(logits, from, to, entropy);
  nlohmann::json json = nlohmann::json::object();
  for (std::size_t label = 0; label < models.class_names.size(); ++label) {
    const Tensor own = finished.masked_select(known.labels.eq(static_cast<std::int64_t>(label)));
    if (own.size(0) > 0) json[models.class_names[label]] = share_of(own);
  }
  return json;
}

MorphStudy study_morphs(const MorphingModels& models, const at::Tensor& images,
                        const MorphingOptions& options, bool with_controls,
                        const ProgressCallback& progress) {
  const at::NoGradGuard no_grad;
  MorphStudy study;
  study.target = options.target;
  counterfactual::MorphStarts starts =
      counterfactual::starts_of(models.model, models.classifier, images, options.search, models.seed);
  study.codes = std::move(starts.codes);
  const Cases cases = cases_of(study.codes.answers, models.class_names, options.target);
  study.left_out = cases.left_out;
  study.rows = cases.rows;
  study.images = images.to(models.model.decoder.device()).index_select(0, cases.rows);
  const Tensor codes = study.codes.codes.index_select(0, cases.rows);
  if (starts.residual.defined()) study.residual = starts.residual.index_select(0, cases.rows);
  study.morphs = counterfactual::morph(models.model, models.classifier, codes, cases.from, cases.to,
                                       options.search, progress, study.residual);
  study.reconstructions = decoded(models.model.decoder, codes, study.residual);
  study.ways.push_back(morph_way(models, study));
  if (with_controls) add_controls(models, study, options.search.entropy);
  const counterfactual::Judges judges{&models.model, models.independent, models.autoencoders};
  for (Way& way : study.ways)
    way.judged = counterfactual::judge(judges, changes_the_image(way) ? study.images : study.reconstructions,
                                       way.after, cases.from, cases.to);
  study.reencoding = counterfactual::judge({&models.model}, study.reconstructions, study.reconstructions,
                                           cases.from, cases.to)
                         .reencoding;
  return study;
}

nlohmann::json to_json(const MorphStudy& study, const MorphingModels& models,
                       const MorphingOptions& options) {
  return to_json(study, sure_images(models, options.search.entropy), options);
}

nlohmann::json to_json(const MorphStudy& study, const nlohmann::json& sure, const MorphingOptions& options) {
  using counterfactual::Ending;
  nlohmann::json ways = nlohmann::json::object();
  for (const Way& way : study.ways) ways[way.name] = to_json(way);
  nlohmann::json endings = nlohmann::json::object();
  for (const Ending ending : {Ending::finished, Ending::as_sure, Ending::training_code, Ending::failed})
    endings[std::string(name_of(ending))] = share_of(study.morphs.ended(ending));
  const double unfinished = 1 - share_of(study.morphs.ended(Ending::finished));
  const double reference = share_of(study.reencoding);
  nlohmann::json& own = ways["morph"];
  own["endings"] = endings;
  own["unfinished"] = unfinished;
  own["moved"] = share_of((study.morphs.moved - study.morphs.codes).norm(2, 1));
  own["median_iterations"] = study.morphs.iterations.median().item<std::int64_t>();
  if (own.contains("reencoding") && reference > 0)
    own["reencoding_ratio"] = own["reencoding"].get<double>() / reference;
  return {{"images", study.codes.codes.size(0)},
          {"cases", study.rows.size(0)},
          {"left_out", study.left_out},
          {"target", study.target},
          {"method", counterfactual::name_of(options.search.method)},
          {"entropy", options.search.entropy},
          {"kept", share_of(study.codes.kept)},
          {"residual", options.search.residual},
          {"reencoding_of_reconstructions", reference},
          {"sure_images", sure},
          {"ways", ways}};
}

std::string reconstruction_warning(const MorphStudy& study, const MorphingModels& models) {
  const double worst = at::quantile(models.model.known.errors.to(at::kDouble), 0.99).item<double>();
  const Tensor bad = study.codes.errors.gt(worst).nonzero().squeeze(1);
  if (bad.size(0) == 0) return "";
  const auto row = bad[0].item<std::int64_t>();
  return fmt::format(
      "the generator cannot reconstruct {} of the {} images (image {}: squared error {:.1f}; 99 % of the "
      "known images have "
      "less than {:.1f}), so their morphs explain other images",
      bad.size(0), study.codes.errors.size(0), row, study.codes.errors[row].item<double>(), worst);
}

}  // namespace whence::kinds
