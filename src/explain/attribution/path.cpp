// Paths from an image's morph or translation to the image, and gradients along them.
#include <fmt/ranges.h>

#include <numbers>

#include "explain/attribution/passes.h"
#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/explain/attribution/path_mask.h"
#include "whence/explain/counterfactual/morphing.h"
#include "whence/models/translator.h"

namespace whence::attribution {
namespace {

using at::Tensor;
using counterfactual::PathKind;

/// (N, n, ...) -> (N n, ...), with each image's target repeated.
Tensor repeated(const Tensor& target, std::int64_t count) { return target.repeat_interleave(count); }

constexpr std::string_view kKinds[] = {"radial", "linear", "straight"};
constexpr std::string_view kBaselines[] = {"morph", "nearest", "translation"};

void check(const ImagePath& own, std::int64_t morph) {
  if (std::find(std::begin(kKinds), std::end(kKinds), own.kind) == std::end(kKinds))
    fail_usage("path_kind is '{}'{}, but must be radial, linear or straight", own.kind,
               did_you_mean(own.kind, kKinds));
  if (own.end != "reconstruction" && own.end != "image")
    fail_usage("path_end is '{}', but must be reconstruction or image", own.end);
  if (std::find(std::begin(kBaselines), std::end(kBaselines), own.baseline) == std::end(kBaselines))
    fail_usage("path_baseline is '{}'{}, but must be morph, nearest or translation", own.baseline,
               did_you_mean(own.baseline, kBaselines));
  if (morph > 0 && own.baseline == "translation")
    fail_usage(
        "path_morphs is {}, but an image has one translation to a class; leave path_morphs out, or choose "
        "another path_baseline",
        own.morphs);
  if (morph > 0 && own.baseline == "morph" && own.morphing.method == counterfactual::MorphMethod::published)
    fail_usage(
        "path_morphs is {}, but the published morphing has one start, so all morphs of an image are the "
        "same; "
        "leave path_morphs out, or use the anchored method",
        own.morphs);
}

/// How the request's morphs are made.
counterfactual::MorphOptions morphing_of(const Options& options, std::int64_t morph) {
  const auto& own = options.of<ImagePath>();
  counterfactual::MorphOptions morphing = own.morphing;
  morphing.batch = options.batch;
  morphing.residual = own.morphing.residual || own.end == "image";
  morphing.anchored.first_anchor += morph;
  if (own.iterations > 0) morphing.anchored.iterations = own.iterations;
  return morphing;
}

/// Where paths begin: codes (n, D), and the residual there, or an undefined tensor.
struct Begin {
  Tensor codes, residual;
};

/// At the training image whose code is the nearest, or the next ones; a training image has no residual.
Begin nearest_begin(const counterfactual::ImageModel& model, const counterfactual::MorphStarts& starts,
                    const Tensor& from, std::int64_t morph) {
  const Tensor all = counterfactual::nearest_of_each(model.known, starts.codes.codes, from, morph + 1);
  const Tensor last = all.select(1, morph), row = at::where(last.lt(0), all.select(1, 0), last);
  const Tensor codes = at::where(row.ge(0).unsqueeze(1), model.known.codes.index_select(0, row.clamp_min(0)),
                                 starts.codes.codes);
  const Tensor rest = starts.residual.defined() ? starts.residual * row.lt(0).view({-1, 1, 1, 1}) : Tensor();
  return {codes, rest};
}

/// Codes (s, n, D) -> (s, n, C, H, W), with the residual (s, n, C, H, W) where there is one.
Tensor decoded(const models::Decoder& decoder, const Tensor& codes, const Tensor& residual,
               std::int64_t batch) {
  const Tensor rows = codes.flatten(0, 1), rest = residual.defined() ? residual.flatten(0, 1) : Tensor();
  std::vector<Tensor> parts;
  for (std::int64_t first = 0; first < rows.size(0); first += batch) {
    const std::int64_t count = std::min(batch, rows.size(0) - first);
    parts.push_back(counterfactual::decode_with(decoder, rows.narrow(0, first, count),
                                                rest.defined() ? rest.narrow(0, first, count) : Tensor()));
  }
  return at::cat(parts).unflatten(0, codes.sizes().slice(0, 2));
}

/// The classes at a path's start and end. answers: int64 (N, 2), the two most probable classes.
struct PathClasses {
  Tensor from, own;
};
PathClasses path_classes(const Tensor& target, const Tensor& answers) {
  const Tensor own = answers.select(1, 0).contiguous();
  return {at::where(target.eq(own), answers.select(1, 1), target), own};
}

ImagePaths paths_by_translation(const Request& request, const Options& options) {
  const auto& own = options.of<ImagePath>();
  if (options.translator == nullptr)
    fail_usage(
        "path_baseline is translation, but there is no translator; give one, or a run that has one "
        "(translation.steps above 0), or leave path_baseline out");
  const Tensor logits = request.classifier.logits(request.x);
  const auto [from, answers] = path_classes(request.target, std::get<1>(logits.topk(2, 1)));
  return {translated_paths(*options.translator, request.classifier, request.x, from, answers, own.steps,
                           own.kind == "straight"),
          from, answers, /*whole=*/true};
}

/// From the morph's residual to the image's own, at places t: (s, n, C, H, W).
Tensor residual_on_path(const Tensor& of_morph, const Tensor& of_image, const Tensor& places) {
  const Tensor t = places.to(of_image.options()).view({-1, 1, 1, 1, 1});
  return (1 - t) * of_morph.unsqueeze(0) + t * of_image.unsqueeze(0);
}

}  // namespace

at::Tensor gradients_along(const models::Classifier& classifier, const at::Tensor& paths,
                           const at::Tensor& target, Score score, std::int64_t batch) {
  const std::int64_t images = paths.size(0), steps = paths.size(1);
  Options options;
  options.score = score;
  options.batch = batch;
  const Tensor gradient = score_gradient(classifier, paths.flatten(0, 1), repeated(target, steps), options)
                              .gradient.view(paths.sizes());
  const Tensor way = paths.narrow(1, 1, steps - 1) - paths.narrow(1, 0, steps - 1);
  const Tensor mean = 0.5 * (gradient.narrow(1, 1, steps - 1) + gradient.narrow(1, 0, steps - 1));
  return (way * mean).sum(1).reshape({images, paths.size(2), paths.size(3), paths.size(4)});
}

at::Tensor mask_gains(const models::Classifier& classifier, const at::Tensor& paths, const at::Tensor& target,
                      const at::Tensor& masks, std::int64_t batch) {
  const std::int64_t steps = paths.size(1) - 1;
  const Tensor start = paths.narrow(1, 0, steps), way = paths.narrow(1, 1, steps) - start;
  const auto scores = [&](const Tensor& images, std::int64_t count) {
    return scores_of(classifier, images.flatten(0, 1), repeated(target, count), Score::probability, batch)
        .view({paths.size(0), count});
  };
  const Tensor before = scores(paths, steps + 1).narrow(1, 0, steps);
  return scores(start + masks.unsqueeze(1) * way, steps) - before;
}

bool by_translation(const Options& options) { return options.of<ImagePath>().baseline == "translation"; }

at::Tensor translated_paths(const models::Translator& translator, const models::Classifier& classifier,
                            const at::Tensor& x, const at::Tensor& from, const at::Tensor& own,
                            std::int64_t steps, bool straight) {
  translator.check_fit(x, classifier);
  const Tensor even = at::linspace(0, 1, steps, x.options());
  const Tensor t = even.view({-1, 1, 1, 1, 1});
  if (straight) {
    const Tensor first = translator.translate_to(x, from).images.unsqueeze(0);
    return ((1 - t) * first + t * x.unsqueeze(0)).transpose(0, 1).contiguous();
  }
  const Tensor path = translator.path(x, from, own, even.to(at::kDouble));
  const Tensor lacking = x - path.select(0, -1);
  return (path + t * lacking.unsqueeze(0)).clamp(0, 1).transpose(0, 1).contiguous();
}

ImagePaths paths_of(const Request& request, const Options& options, std::int64_t morph) {
  const auto& own = options.of<ImagePath>();
  check(own, morph);
  if (by_translation(options)) return paths_by_translation(request, options);
  const counterfactual::ImageModel& model = *options.generator;
  const counterfactual::MorphOptions morphing = morphing_of(options, morph);
  const counterfactual::MorphStarts starts =
      counterfactual::starts_of(model, request.classifier, request.x, morphing, options.seed);
  const auto [from, answers] = path_classes(request.target, starts.codes.answers);
  const Tensor codes = starts.codes.codes;
  Begin begin;
  if (own.baseline == "nearest") {
    begin = nearest_begin(model, starts, from, morph);
  } else {
    const counterfactual::Morphs morphs =
        counterfactual::morph(model, request.classifier, codes, answers, from, morphing, {}, starts.residual);
    begin = {morphs.moved, morphs.residual};
  }
  // sqrt(t) and sqrt(1 - t) are steep at the ends: even angles make even steps of a radial path.
  const Tensor even = at::linspace(0, 1, own.steps, codes.options());
  const Tensor places = own.kind == "radial" ? (0.5 * std::numbers::pi * even).sin().square() : even;
  if (own.kind == "straight") {
    const Tensor rest = morphing.residual ? at::stack({begin.residual, starts.residual}) : Tensor();
    const Tensor ends = decoded(model.decoder, at::stack({begin.codes, codes}), rest, options.batch);
    const Tensor t = places.to(ends.options()).view({-1, 1, 1, 1, 1});
    return {((1 - t) * ends.narrow(0, 0, 1) + t * ends.narrow(0, 1, 1)).transpose(0, 1).contiguous(), from,
            answers, morphing.residual};
  }
  const Tensor way = counterfactual::code_path(begin.codes, codes, places,
                                               own.kind == "linear" ? PathKind::linear : PathKind::radial);
  const Tensor rest =
      morphing.residual ? residual_on_path(begin.residual, starts.residual, places) : Tensor();
  return {decoded(model.decoder, way, rest, options.batch).transpose(0, 1).contiguous(), from, answers,
          morphing.residual};
}

}  // namespace whence::attribution
