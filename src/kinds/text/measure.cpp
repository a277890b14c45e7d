// What a trained explanation of a text classifier does to texts that are really decoded.
#include <set>

#include "kinds/text/ask.h"
#include "kinds/text/subjects.h"
#include "whence/core/random.h"
#include "whence/explain/flow/trust.h"
#include "whence/explain/text/measures.h"

namespace whence::kinds {
namespace {

/// Mean and standard error of values (N).
nlohmann::json mean_of(const at::Tensor& values) {
  const at::Tensor exact = values.to(at::kDouble);
  const auto count = static_cast<double>(exact.numel());
  return {{"mean", exact.mean().item<double>()},
          {"se", count > 1 ? exact.std().item<double>() / std::sqrt(count) : 0.0}};
}

nlohmann::json flow_of(const TextModels& models, const TextMeasureOptions& options, std::uint64_t seed,
                       const ProgressCallback& progress) {
  const flow::FlowReport report =
      text_flow(models, *models.classifier, options.outer, options.inner, seed, progress);
  nlohmann::json json = to_json(report);
  double largest = 0;
  for (const flow::FactorFlow& factor : report.factors)
    if (!factor.causal) largest = std::max(largest, factor.flow.nats);
  json["largest_beta"] = largest;
  json["beta_share"] = flow::leaked_share(report.alpha, report.beta).value;  // null where nothing flows
  json["most"] = std::log(static_cast<double>(models.vae.shape().classes));
  return json;
}

/// Test texts decoded with an alpha at -kFar and at +kFar.
struct Ends {
  at::Tensor
      flipped;        ///< bool (N): both get the answer that their alphas promise, and these are not the same
  at::Tensor agreed;  ///< bool (2 N): naive Bayes gives the promised class
};
Ends ends_of(const TextModels& models, const Subjects& subjects, const text::NaiveBayes& judge,
             std::int64_t which) {
  std::vector<at::Tensor> promised, kept, agreed;
  for (const double value : {-kFar, kFar}) {
    const at::Tensor codes = with_alpha(subjects.mean, which, value);
    const at::Tensor texts = text::decode_greedily(models.vae, codes, models.longest);
    promised.push_back(models.vae.promise(codes.narrow(1, 0, models.vae.shape().causal)).argmax(1));
    kept.push_back(models.answers(texts).argmax(1).eq(promised.back()));
    agreed.push_back(judge.classify(texts).eq(promised.back()));
  }
  return {kept[0].logical_and(kept[1]).logical_and(promised[0].ne(promised[1])), at::cat(agreed)};
}

/// With several alphas a text flips that one of them flips.
nlohmann::json flips_of(const TextModels& models, const Subjects& subjects) {
  const text::NaiveBayes judge(models.corpus.train, models.corpus.train_labels,
                               models.corpus.vocabulary.size(), models.vae.shape().classes);
  std::vector<at::Tensor> flipped, agreed;
  nlohmann::json of = nlohmann::json::array();
  for (std::int64_t which = 0; which < models.vae.shape().causal; ++which) {
    const Ends ends = ends_of(models, subjects, judge, which);
    flipped.push_back(ends.flipped);
    agreed.push_back(ends.agreed);
    of.push_back(mean_of(ends.flipped));
    of.back()["name"] = alpha_name(models, which);
  }
  nlohmann::json flips = mean_of(at::stack(flipped).any(0));
  flips["of"] = std::move(of);
  const double own = judge.classify(subjects.texts).eq(subjects.labels).to(at::kDouble).mean().item<double>();
  return {{"flips", flips}, {"judge_agrees", mean_of(at::cat(agreed))}, {"judge_accuracy", own}};
}

/// All test texts with each alpha at each of `values`.
std::vector<at::Tensor> swept_texts(const TextModels& models, const Subjects& subjects,
                                    const std::vector<double>& values) {
  std::vector<at::Tensor> all;
  for (std::int64_t which = 0; which < models.vae.shape().causal; ++which)
    for (const double value : values)
      all.push_back(
          text::decode_greedily(models.vae, with_alpha(subjects.mean, which, value), models.longest));
  return all;
}

nlohmann::json words_of(const TextModels& models, const Subjects& subjects, at::Generator& generator) {
  const at::Tensor own = text::decode_greedily(models.vae, subjects.mean, models.longest);
  const auto kept = [&](double size) {
    std::vector<at::Tensor> all;
    for (const at::Tensor& texts : swept_texts(models, subjects, {-size, size}))
      all.push_back(text::words_kept(own, texts));
    return mean_of(at::cat(all));
  };
  const at::Tensor others =
      subjects.texts.index_select(0, at::randperm(subjects.texts.size(0), generator, at::kLong));
  return {{"reconstruction", mean_of(text::words_kept(own, subjects.texts))},
          {"at_1", kept(1)},
          {"at_2", kept(2)},
          {"random", mean_of(text::words_kept(own, others))}};
}

nlohmann::json fluency_of(const TextModels& models, const Subjects& subjects) {
  const std::vector<at::Tensor> swept = swept_texts(models, subjects, {-kFar, -1, 1, kFar});
  const at::Tensor texts = at::cat(swept);
  const std::vector<text::Numbers> rows = text::rows_of(models.corpus.train);
  // Of as many texts: more texts have a smaller share of different pairs.
  return {{"perplexity", models::perplexity(models.judge, texts)},
          {"real_perplexity", models::perplexity(models.judge, subjects.texts)},
          {"repeats", text::repeat_share(texts)},
          {"real_repeats", text::repeat_share(subjects.texts)},
          {"copies", text::copy_share(texts, {rows.begin(), rows.end()})},
          {"distinct_pairs", text::distinct_pairs(swept.back())},
          {"real_distinct_pairs", text::distinct_pairs(subjects.texts)}};
}

/// The parts of the bound on test texts.
nlohmann::json bound_of(const TextModels& models, const Subjects& subjects, at::Generator& generator) {
  const at::NoGradGuard no_gradients;
  const at::Tensor code =
      subjects.mean + (0.5 * subjects.log_variance).exp() * at::randn(subjects.mean.sizes(), generator);
  const at::Tensor targets = models::with_end(subjects.texts);
  std::vector<at::Tensor> losses;
  constexpr std::int64_t at_once = 200;
  for (std::int64_t first = 0; first < targets.size(0); first += at_once) {
    const std::int64_t count = std::min(at_once, targets.size(0) - first);
    const at::Tensor before = models::with_begin(subjects.texts.narrow(0, first, count));
    const at::Tensor queries = models.vae.queries(at::embedding(models.vae.embedding(), before),
                                                  models.vae.guidance(code.narrow(0, first, count)));
    const at::Tensor logits = at::linear(queries, models.vae.embedding(), models.vae.bias());
    losses.push_back(
        -at::log_softmax(logits, 2).gather(2, targets.narrow(0, first, count).unsqueeze(2)).squeeze(2));
  }
  const at::Tensor lengths = data::lengths_of(subjects.texts) + 1;
  const at::Tensor counted = at::arange(targets.size(1), at::kLong).unsqueeze(0).lt(lengths.unsqueeze(1));
  const at::Tensor kl =
      0.5 * (subjects.mean.square() + subjects.log_variance.exp() - 1 - subjects.log_variance).sum(1);
  constexpr double active =
      0.01;  // of the variance of posterior means (Burda, Grosse and Salakhutdinov 2016)
  return {{"nll_per_word", ((at::cat(losses) * counted).sum() / lengths.sum()).item<double>()},
          {"kl", mean_of(kl)},
          {"active_units", subjects.mean.var(0).gt(active).sum().item<std::int64_t>()},
          {"latents", models.vae.shape().latents()}};
}

}  // namespace

flow::FlowReport text_flow(const TextModels& models, const models::TextClassifier& classifier,
                           std::int64_t outer, std::int64_t inner, std::uint64_t seed,
                           const ProgressCallback& progress) {
  const auto decoder = text::as_decoder(models.vae, models.translation, models.longest);
  flow::FlowOptions options;
  options.outer = outer;
  options.inner = inner;
  options.factors = flow::FactorDraws::shared;
  return flow::measure_flow(*decoder, classifier, models.vae.shape().causal, options, seed, progress);
}

nlohmann::json measure_text(const TextModels& models, const TextMeasureOptions& options, std::uint64_t seed,
                            const ProgressCallback& progress) {
  Generator generator = make_generator(seed, "text/measures");
  const Subjects subjects = subjects_of(models, options.texts, generator);
  nlohmann::json metrics = flips_of(models, subjects);
  metrics["test_texts"] = subjects.texts.size(0);
  metrics["words_kept"] = words_of(models, subjects, generator);
  metrics["fluency"] = fluency_of(models, subjects);
  metrics["bound"] = bound_of(models, subjects, generator);
  metrics["sweeps"] = sweeps_of(models, subjects, options.shown);
  metrics["words"] = word_maps_of(models, subjects, options.shown, generator);
  metrics["flow"] = flow_of(models, options, seed, progress);
  metrics["moved"] = most_moved(models, subjects, options.shown);
  metrics["plane"] = plane_of(models, subjects, metrics["flow"]);
  metrics["ablation"] = to_json(ablate_texts(models, options.texts, seed),
                                flow::factor_names(models.vae.shape().causal, models.vae.shape().latents()));
  return metrics;
}

}  // namespace whence::kinds
