// Paths from an image's morph to the image, and gradients along them.
#include <numbers>

#include "explain/attribution/passes.h"
#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/core/random.h"
#include "whence/explain/attribution/path_mask.h"
#include "whence/explain/counterfactual/morphing.h"

namespace whence::attribution {
namespace {

using at::Tensor;
using counterfactual::PathKind;

/// (N, n, ...) -> (N n, ...), with each image's target repeated.
Tensor repeated(const Tensor& target, std::int64_t count) { return target.repeat_interleave(count); }

constexpr std::string_view kKinds[] = {"radial", "linear", "straight"};

void check_kind(const std::string& kind) {
  if (std::find(std::begin(kKinds), std::end(kKinds), kind) != std::end(kKinds)) return;
  fail_usage("path_kind is '{}'{}, but must be radial, linear or straight", kind, did_you_mean(kind, kKinds));
}

bool carries_residual(const std::string& end) {
  if (end != "reconstruction" && end != "image")
    fail_usage("path_end is '{}', but must be reconstruction or image", end);
  return end == "image";
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

ImagePaths paths_of(const Request& request, const Options& options, std::int64_t morph) {
  const auto& own = options.of<ImagePath>();
  check_kind(own.kind);
  const bool carries = carries_residual(own.end);
  const counterfactual::ImageModel& model = *options.generator;
  Generator generator = make_generator(options.seed, "attribution/path");
  counterfactual::CodeOptions coding;
  coding.batch = options.batch;
  const counterfactual::ImageCodes codes = counterfactual::codes_of_images(
      model.encoder, model.decoder, request.classifier, request.x, coding, generator);
  const Tensor answers = codes.answers.select(1, 0).contiguous();
  const Tensor from = at::where(request.target.eq(answers), codes.answers.select(1, 1), request.target);
  counterfactual::MorphOptions morphing;
  morphing.batch = options.batch;
  morphing.anchored.first_anchor = morph;
  morphing.anchored.iterations = own.iterations;
  const Tensor residual =
      carries ? request.x - decoded(model.decoder, codes.codes.unsqueeze(0), {}, options.batch)[0] : Tensor();
  const counterfactual::Morphs morphs =
      counterfactual::morph(model, request.classifier, codes.codes, answers, from, morphing, {}, residual);
  // sqrt(t) and sqrt(1 - t) are steep at the ends: even angles make even steps of a radial path.
  const Tensor even = at::linspace(0, 1, own.steps, morphs.codes.options());
  const Tensor places = own.kind == "radial" ? (0.5 * std::numbers::pi * even).sin().square() : even;
  if (own.kind == "straight") {
    const Tensor rest = carries ? at::stack({morphs.residual, residual}) : Tensor();
    const Tensor ends = decoded(model.decoder, at::stack({morphs.moved, morphs.codes}), rest, options.batch);
    const Tensor t = places.to(ends.options()).view({-1, 1, 1, 1, 1});
    return {((1 - t) * ends.narrow(0, 0, 1) + t * ends.narrow(0, 1, 1)).transpose(0, 1).contiguous(), from,
            answers};
  }
  const Tensor way = counterfactual::code_path(morphs.moved, morphs.codes, places,
                                               own.kind == "linear" ? PathKind::linear : PathKind::radial);
  const Tensor rest = carries ? residual_on_path(morphs.residual, residual, places) : Tensor();
  return {decoded(model.decoder, way, rest, options.batch).transpose(0, 1).contiguous(), from, answers};
}

}  // namespace whence::attribution
