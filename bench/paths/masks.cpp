#include "paths/masks.h"

#include <chrono>

#include "whence/core/random.h"
#include "whence/explain/attribution/integrated_gradients.h"

namespace whence::bench {
namespace {

using at::Tensor;
using namespace attribution;

double seconds_of(const std::function<void()>& work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

double mean_of(const Tensor& values) { return values.to(at::kDouble).mean().item<double>(); }

ImagePaths paths_to(const models::Classifier& classifier, const Tensor& images, const Options& options) {
  return paths_of({classifier, images, answers_to(classifier, images)}, options, 0);
}

}  // namespace

MaskStudy study_masks(const models::Classifier& classifier, const at::Tensor& images, const Options& options,
                      double area, const Rival& rival) {
  const at::NoGradGuard no_grad;
  const double blur = options.of<PathMask>().blur;
  const ImagePaths paths = paths_to(classifier, images, options);
  const auto gain_of = [&](const Tensor& masks) {
    return mask_gains(classifier, paths.images, paths.answers, masks).sum(1);
  };
  const auto at_area = [&](const Tensor& maps) {
    return gain_of(closed_form_masks(maps.sum(1, true), area, blur).masks);
  };
  MaskStudy study;
  study.images = images.size(0);
  const double n = static_cast<double>(study.images);
  Tensor along;
  study.closed_seconds = seconds_of([&] {
                           along =
                               gradients_along(classifier, paths.images, paths.answers, Score::probability);
                           closed_form_masks(along.sum(1, true), area, blur);
                         }) /
                         n;
  const ClosedForm closed = closed_form_masks(along.sum(1, true), area, blur);
  const Tensor gain = gain_of(closed.masks), linear = (closed.masks * along.sum(1, true)).flatten(1).sum(1);
  const Tensor error = ((linear - gain).abs() / gain.abs().clamp_min(1e-12)).to(at::kDouble);
  study.linearity_error = error.median().item<double>();
  study.worst_linearity = at::quantile(error, 0.95).item<double>();
  study.path_gain = mean_of(gain);
  study.difference_gain = mean_of(at_area((paths.images.select(1, -1) - paths.images.select(1, 0)).abs()));
  Generator generator = make_generator(options.seed, "bench/random-masks");
  study.random_gain =
      mean_of(at_area(at::rand({images.size(0), 1, images.size(2), images.size(3)}, generator, at::kFloat)));
  const auto integrated = [&](const Tensor& from) {
    Options own;
    own.score = Score::probability;
    own.of<Baseline>().image = from;
    return mean_of(at_area(method("integrated_gradients")
                               .run(classifier, paths.images.select(1, -1).contiguous(), paths.answers, own)
                               .values));
  };
  study.straight_gain = integrated(paths.images.select(1, 0).contiguous());
  study.black_gain = integrated({});
  if (rival.iterations == 0) return study;
  Tensor optimised;
  MaskOptimization how;
  how.iterations = rival.iterations;
  how.learning_rate = rival.learning_rate;
  how.blur = blur;
  const std::int64_t last = paths.images.size(1) - 1;
  const Tensor seen =
      paths.images.index_select(1, at::arange(last % rival.every, last + 1, rival.every, at::kLong));
  study.optimised_seconds =
      seconds_of([&] { optimised = optimised_masks(classifier, seen, paths.answers, how).masks; }) / n;
  study.optimised_area = mean_of(optimised);
  study.optimised_gain = mean_of(gain_of(optimised));
  std::vector<Tensor> same;
  for (std::int64_t i = 0; i < images.size(0); ++i)
    same.push_back(closed_form_masks(along.narrow(0, i, 1).sum(1, true), mean_of(optimised[i]), blur).masks);
  study.closed_gain = mean_of(gain_of(at::cat(same)));
  study.ratio = study.closed_gain / study.optimised_gain;
  return study;
}

std::vector<double> areas_while_optimised(const models::Classifier& classifier, const at::Tensor& images,
                                          const Options& options,
                                          const std::vector<std::int64_t>& iterations) {
  const at::NoGradGuard no_grad;
  const ImagePaths paths = paths_to(classifier, images, options);
  std::vector<double> areas;
  for (const std::int64_t count : iterations) {
    MaskOptimization how;
    how.iterations = count;
    areas.push_back(mean_of(optimised_masks(classifier, paths.images, paths.answers, how).masks));
  }
  return areas;
}

}  // namespace whence::bench
