#include "whence/explain/counterfactual/morphing.h"

#include <chrono>

#include "explain/counterfactual/descent.h"
#include "explain/flow/classify.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/platform/parts.h"

namespace whence::counterfactual {
namespace {

using at::Tensor;

/// Restarts take longer steps and more of them: what is left then is hard.
constexpr std::int64_t kRestart = 2;

Tensor rows_of(const Tensor& chosen) { return chosen.nonzero().squeeze(1); }

/// The rows of all tensors in a batch.
struct Batch {
  Tensor codes, from, to;
  Tensor anchors;   ///< int64 (n, k): rows of the known codes; -1 where there are fewer
  Tensor residual;  ///< (n, C, H, W), or undefined

  Batch select(const Tensor& rows) const {
    return {codes.index_select(0, rows), from.index_select(0, rows), to.index_select(0, rows),
            anchors.index_select(0, rows), residual.defined() ? residual.index_select(0, rows) : Tensor()};
  }
};

/// How many training codes an image needs.
std::int64_t anchors_needed(const MorphOptions& options) {
  return options.method == MorphMethod::published ? 1
                                                  : options.anchored.first_anchor + options.anchored.anchors;
}

/// The search for the morphs of one batch.
class Search {
 public:
  Search(const ImageModel& model, const models::Classifier& classifier, const MorphOptions& options)
      : model_(model), classifier_(classifier), options_(options) {}

  Morphs run(const Batch& batch) {
    Morphs result;
    result.codes = batch.codes;
    result.from = batch.from;
    result.to = batch.to;
    result.moved = batch.codes.clone();
    result.endings = at::full_like(batch.to, static_cast<std::int64_t>(Ending::failed));
    result.iterations = at::zeros_like(batch.to);
    if (batch.residual.defined()) result.residual = batch.residual.clone();
    surest_ = batch.codes.clone();
    lead_ = at::full({batch.codes.size(0)}, -std::numeric_limits<float>::infinity(), batch.codes.options());
    if (options_.method == MorphMethod::published)
      try_from(batch, at::arange(batch.to.size(0), batch.to.options()), batch.codes, result);
    else
      from_anchors(batch, result);
    if (options_.fallback) fall_back(batch, result);
    judge(result);
    return result;
  }

 private:
  /// From each training code in turn the images that are not finished; from an image's own code where it has none.
  void from_anchors(const Batch& batch, Morphs& result) {
    const AnchoredSearch& own = options_.anchored;
    for (std::int64_t attempt = 0; attempt < own.anchors; ++attempt) {
      Tensor anchor = batch.anchors.select(1, own.first_anchor + attempt);
      if (attempt == 0) anchor = at::where(anchor.lt(0), batch.anchors.select(1, 0), anchor);
      const Tensor is_open = result.endings.ne(static_cast<std::int64_t>(Ending::finished));
      const Tensor rows = rows_of(attempt == 0 ? is_open : is_open.logical_and(anchor.ge(0)));
      if (rows.size(0) == 0) continue;
      const Tensor codes = batch.codes.index_select(0, rows), known = anchor.index_select(0, rows);
      const Tensor towards = model_.known.codes.index_select(0, known.clamp_min(0));
      const Tensor on_the_way =
          code_path(codes, towards, at::full({1}, own.start, codes.options()), PathKind::radial)[0];
      try_from(batch, rows, at::where(known.ge(0).unsqueeze(1), on_the_way, codes), result, attempt > 0);
    }
  }

  void try_from(const Batch& batch, const Tensor& rows, const Tensor& start, Morphs& result,
                bool again = false) {
    const Batch own = batch.select(rows);
    const Tensor mean = model_.known.norm_mean, deviation = model_.known.norm_deviation;
    const bool published = options_.method == MorphMethod::published;
    const auto terms = [&](const Tensor& logits, const Tensor& codes, const Tensor& to) -> Terms {
      const Tensor excess = codes.norm(2, 1) - mean.index_select(0, to);
      if (published) return {-logits.gather(1, to.unsqueeze(1)).squeeze(1), excess.square()};
      const Tensor far = (excess.abs() / deviation.index_select(0, to) - 1).relu();
      return {(options_.anchored.lead - lead_of(logits, to)).relu(), far.square()};
    };
    const Descent found =
        descend(model_.decoder, classifier_, start, own.from, own.to, own.residual, descent(again), terms);
    result.iterations.index_add_(0, rows, found.steps);
    const Tensor better = found.lead.gt(lead_.index_select(0, rows));
    const Tensor lead = at::where(better, found.lead, lead_.index_select(0, rows));
    const Tensor surest = at::where(better.unsqueeze(1), found.surest, surest_.index_select(0, rows));
    lead_.index_copy_(0, rows, lead);
    surest_.index_copy_(0, rows, surest);
    const Tensor done = rows_of(found.finished), which = rows.index_select(0, done);
    result.moved.index_copy_(0, which, found.codes.index_select(0, done));
    result.endings.index_fill_(0, which, static_cast<std::int64_t>(Ending::finished));
  }

  DescentOptions descent(bool again) const {
    const PublishedSearch& published = options_.published;
    if (options_.method == MorphMethod::published)
      return {published.iterations, published.learning_rate, published.likelihood_weight, options_.entropy,
              /*cosine=*/false,     /*balanced=*/true};
    const AnchoredSearch& own = options_.anchored;
    return {own.iterations * (again ? kRestart : 1),
            own.learning_rate * static_cast<double>(again ? kRestart : 1),
            own.norm_weight,
            options_.entropy,
            /*cosine=*/true,
            /*balanced=*/false};
  }

  void fall_back(const Batch& batch, Morphs& result) const {
    const Tensor unfinished = result.endings.eq(static_cast<std::int64_t>(Ending::failed));
    const Tensor sure =
        rows_of(unfinished.logical_and(lead_.ge(model_.known.typical_lead.index_select(0, batch.to))));
    result.moved.index_copy_(0, sure, surest_.index_select(0, sure));
    result.endings.index_fill_(0, sure, static_cast<std::int64_t>(Ending::as_sure));
    const Tensor nearest = batch.anchors.select(1, 0);
    const Tensor rest =
        rows_of(result.endings.eq(static_cast<std::int64_t>(Ending::failed)).logical_and(nearest.ge(0)));
    result.moved.index_copy_(0, rest, model_.known.codes.index_select(0, nearest.index_select(0, rest)));
    if (result.residual.defined()) result.residual.index_fill_(0, rest, 0.0);
    result.endings.index_fill_(0, rest, static_cast<std::int64_t>(Ending::training_code));
  }

  void judge(Morphs& result) const {
    const Tensor logits =
        classifier_.logits(decode_with(model_.decoder, result.moved, result.residual)).to(at::kFloat);
    result.entropy = two_class_entropy(logits, result.from, result.to);
    result.probability = logits.softmax(1).gather(1, result.to.unsqueeze(1)).squeeze(1);
  }

  const ImageModel& model_;
  const models::Classifier& classifier_;
  const MorphOptions& options_;
  Tensor surest_, lead_;  ///< of each image so far
};

void check(const ImageModel& model, const models::Classifier& classifier, const Tensor& codes,
           const Tensor& from, const Tensor& to, const MorphOptions& options) {
  TORCH_CHECK(codes.dim() == 2 && codes.size(0) > 0 && codes.size(1) == model.decoder.latents(),
              "codes must be (n, ", model.decoder.latents(), "), got ", codes.sizes());
  TORCH_CHECK(from.sizes() == to.sizes() && from.size(0) == codes.size(0), "one class each for ",
              codes.size(0), " codes, got ", from.sizes(), " and ", to.sizes());
  const Tensor wrong = rows_of(to.lt(0).logical_or(to.ge(classifier.classes())));
  if (wrong.size(0) > 0)
    fail_usage("there is no class {} to morph to; the classifier has {}, numbered from 0",
               to[wrong[0].item<std::int64_t>()].item<std::int64_t>(), classifier.classes());
  const Tensor same = rows_of(from.eq(to));
  if (same.size(0) > 0)
    fail_usage("image {} is of class {} already; morph it to another class", same[0].item<std::int64_t>(),
               from[same[0].item<std::int64_t>()].item<std::int64_t>());
  if (!(options.entropy > 0 && options.entropy <= 1))
    fail_usage("the entropy at which a morph is finished is {} bits, but must be above 0 and at most 1",
               options.entropy);
  if (options.anchored.iterations < 1 || options.published.iterations < 1 || options.anchored.anchors < 1)
    fail_usage("a morph needs one iteration and one start at least");
}

Tensor joined(const std::vector<Morphs>& parts, Tensor Morphs::*member) {
  std::vector<Tensor> rows;
  for (const Morphs& part : parts) rows.push_back(part.*member);
  return at::cat(rows);
}

Morphs joined(const std::vector<Morphs>& parts) {
  Morphs all;
  for (Tensor Morphs::*member : {&Morphs::codes, &Morphs::moved, &Morphs::from, &Morphs::to, &Morphs::endings,
                                 &Morphs::iterations, &Morphs::entropy, &Morphs::probability})
    all.*member = joined(parts, member);
  if (parts.front().residual.defined()) all.residual = joined(parts, &Morphs::residual);
  return all;
}

}  // namespace

at::Tensor Morphs::ended(Ending ending) const { return endings.eq(static_cast<std::int64_t>(ending)); }
at::Tensor Morphs::found() const { return ended(Ending::failed).logical_not(); }

Morphs morph(const ImageModel& model, const models::Classifier& classifier, const at::Tensor& codes,
             const at::Tensor& from, const at::Tensor& to, const MorphOptions& options,
             const ProgressCallback& progress, const at::Tensor& residual) {
  check(model, classifier, codes, from, to, options);
  TORCH_CHECK(!residual.defined() || residual.size(0) == codes.size(0), "one residual for each code");
  const at::NoGradGuard no_grad;
  const auto begun = std::chrono::steady_clock::now();
  const Batch all{codes.to(at::kFloat), from, to,
                  nearest_of_each(model.known, codes.to(at::kFloat), to, anchors_needed(options)), residual};
  std::vector<Morphs> done;
  const bool known_layers = classifier.network() != nullptr && model.decoder.network() != nullptr;
  flow::for_batches(codes.size(0), options.batch, [&](std::int64_t first, std::int64_t count) {
    const std::int64_t parts = known_layers && codes.is_cpu() ? parts_for(count) : 1;
    std::vector<Morphs> own(static_cast<std::size_t>(parts));
    run_parts(parts, [&](std::int64_t part) {
      const Rows rows = part_of(count, part, parts);
      const Tensor which = at::arange(first + rows.first, first + rows.first + rows.count, to.options());
      own[static_cast<std::size_t>(part)] = Search(model, classifier, options).run(all.select(which));
    });
    for (Morphs& part : own) done.push_back(std::move(part));
    if (progress)
      progress(
          {.stage = "morphs", .step = first + count, .total = codes.size(0), .values = {}, .unit = "images"});
  });
  Morphs result = joined(done);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  return result;
}

at::Tensor nearest_known(const KnownCodes& known, const at::Tensor& codes, std::int64_t to,
                         std::int64_t count) {
  const Tensor rows = rows_of(known.answers.eq(to).logical_and(known.labels.eq(to)));
  if (rows.size(0) == 0) return at::empty({codes.size(0), 0}, rows.options());
  const auto unit = [](const Tensor& x) { return x / x.norm(2, 1, true).clamp_min(1e-12); };
  const Tensor cosine = unit(codes).matmul(unit(known.codes.index_select(0, rows)).t());
  const Tensor best = std::get<1>(cosine.topk(std::min(count, rows.size(0)), 1));
  return rows.index_select(0, best.flatten()).view(best.sizes());
}

at::Tensor nearest_of_each(const KnownCodes& known, const at::Tensor& codes, const at::Tensor& to,
                           std::int64_t count) {
  Tensor all = at::full({codes.size(0), count}, -1, to.options());
  const Tensor targets = std::get<0>(at::_unique(to)).cpu();
  for (std::int64_t i = 0; i < targets.size(0); ++i) {
    const auto target = targets[i].item<std::int64_t>();
    const Tensor rows = rows_of(to.eq(target));
    const Tensor own = nearest_known(known, codes.index_select(0, rows), target, count);
    all.narrow(1, 0, own.size(1)).index_copy_(0, rows, own);
  }
  return all;
}

MorphStarts starts_of(const ImageModel& model, const models::Classifier& classifier, const at::Tensor& images,
                      const MorphOptions& options, std::uint64_t seed) {
  Generator generator = make_generator(seed, "morphing/codes");
  const bool published = options.method == MorphMethod::published;
  MorphStarts starts;
  starts.codes = codes_of_images(model.encoder, model.decoder, classifier, images,
                                 {.draws = options.draws,
                                  .mean_first = !published,
                                  .batch = options.batch,
                                  .refinement = options.refinement},
                                 generator);
  if (!options.residual) return starts;
  const at::NoGradGuard no_grad;
  std::vector<Tensor> residuals;
  flow::for_batches(images.size(0), options.batch, [&](std::int64_t first, std::int64_t count) {
    residuals.push_back(images.narrow(0, first, count).to(model.decoder.device()) -
                        model.decoder.decode(starts.codes.codes.narrow(0, first, count)));
  });
  starts.residual = at::cat(residuals);
  return starts;
}

at::Tensor two_class_entropy(const at::Tensor& logits, const at::Tensor& from, const at::Tensor& to) {
  const auto of = [&](const Tensor& label) { return logits.gather(1, label.unsqueeze(1)).squeeze(1); };
  const Tensor lead = of(to) - of(from);
  const Tensor nats = lead.sigmoid() * at::softplus(-lead) + (-lead).sigmoid() * at::softplus(lead);
  return nats / std::log(2.0);
}

at::Tensor lead_of(const at::Tensor& logits, const at::Tensor& to) {
  const Tensor column = to.unsqueeze(1);
  const Tensor others = logits.scatter(1, column, -std::numeric_limits<float>::infinity());
  return logits.gather(1, column).squeeze(1) - others.amax(1);
}

at::Tensor is_finished(const at::Tensor& logits, const at::Tensor& from, const at::Tensor& to,
                       double entropy) {
  const Tensor probability = logits.softmax(1).gather(1, to.unsqueeze(1)).squeeze(1);
  return two_class_entropy(logits, from, to).lt(entropy).logical_and(probability.gt(0.5));
}

std::string_view name_of(MorphMethod method) {
  return method == MorphMethod::published ? "published" : "anchored";
}

std::string_view name_of(Ending ending) {
  switch (ending) {
    case Ending::finished:
      return "finished";
    case Ending::as_sure:
      return "as sure as a training image";
    case Ending::training_code:
      return "a training image itself";
    case Ending::failed:
      break;
  }
  return "failed";
}

}  // namespace whence::counterfactual
