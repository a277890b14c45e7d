// One method on all images: checks, batches, progress.
#include "explain/attribution/passes.h"
#include "whence/core/error.h"
#include "whence/explain/attribution/path_mask.h"

namespace whence::attribution {
namespace {

void check_target(const models::Classifier& classifier, const at::Tensor& x, const at::Tensor& target) {
  TORCH_CHECK(x.dim() == 4 && x.size(0) > 0, "images must be (N, C, H, W), got ", x.sizes());
  TORCH_CHECK(target.dim() == 1 && target.size(0) == x.size(0) && target.scalar_type() == at::kLong,
              "one target for each of the ", x.size(0), " images, got ", target.sizes());
  const at::Tensor wrong = (target < 0).logical_or(target >= classifier.classes()).nonzero();
  if (wrong.size(0) == 0) return;
  const auto image = wrong[0].item<std::int64_t>();
  fail_usage("class {} is asked about for image {}, but the classifier has the classes 0 to {}",
             target[image].item<std::int64_t>(), image, classifier.classes() - 1);
}

void check_needs(const Method& method, const models::Classifier& classifier, const at::Tensor& x,
                 const Options& options) {
  if (options.batch < 1) fail_usage("the batch is {}, but must be 1 or more images", options.batch);
  for (const Option& option : method.options) check(option, options);
  if (method.needs_layers() && classifier.network() == nullptr)
    fail("{} needs the classifier's layers, which are unknown: {}", method.title,
         classifier.why_opaque().empty() ? "it is known as a function only" : classifier.why_opaque());
  if (method.needs == Needs::generator && !by_translation(options) && options.generator == nullptr)
    fail_usage("{} needs a generator of the images; give a run that has one, or an encoder and a decoder",
               method.title);
  if (method.needs != Needs::references && method.needs != Needs::training) return;
  const bool learns = method.needs == Needs::training && options.training.defined();
  const at::Tensor& references = learns ? options.training : options.references;
  if (!references.defined() || references.size(0) == 0)
    fail_usage("{} {} images of the data; give some as references", method.title,
               method.needs == Needs::training ? "learns from" : "draws baselines from");
  if (references.sizes().slice(1) != x.sizes().slice(1))
    fail_usage("the references of {} must be images of the same shape as the explained ones", method.title);
}

void check_finite(const Method& method, const at::Tensor& values, std::int64_t first) {
  const at::Tensor whole = at::isfinite(values).flatten(1).all(1);
  if (whole.all().item<bool>()) return;
  const auto image = first + whole.logical_not().nonzero()[0].item<std::int64_t>();
  fail("{} of image {} holds NaN or infinity; check the classifier's weights and the range of its images",
       method.title, image);
}

/// The rows of several batches under each other; undefined where the method has none.
at::Tensor joined(const std::vector<Attribution>& parts, at::Tensor Attribution::*member) {
  if (!(parts.front().*member).defined()) return {};
  std::vector<at::Tensor> rows;
  for (const Attribution& part : parts) rows.push_back(part.*member);
  return at::cat(rows);
}

}  // namespace

Attribution Method::run(const models::Classifier& classifier, const at::Tensor& x, const at::Tensor& target,
                        const Options& chosen) const {
  check_target(classifier, x, target);
  check_needs(*this, classifier, x, chosen);
  const at::NoGradGuard no_grad;
  const Options ready = prepare == nullptr ? chosen : prepare(classifier, target, chosen);
  std::vector<Attribution> parts;
  for (std::int64_t first = 0; first < x.size(0); first += chosen.batch) {
    const std::int64_t count = std::min(chosen.batch, x.size(0) - first);
    parts.push_back(
        compute({classifier, x.narrow(0, first, count), target.narrow(0, first, count), first}, ready));
    check_finite(*this, parts.back().values, first);
    if (chosen.progress)
      chosen.progress({.stage = std::string(title),
                       .step = first + count,
                       .total = x.size(0),
                       .values = {},
                       .unit = "images"});
  }
  return {joined(parts, &Attribution::values), joined(parts, &Attribution::scores),
          joined(parts, &Attribution::completeness_error), joined(parts, &Attribution::standard_error),
          joined(parts, &Attribution::approximation_error)};
}

}  // namespace whence::attribution
