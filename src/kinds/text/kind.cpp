// The row of the table, and its metrics.
#include "kinds/gce/trust.h"
#include "kinds/text/text.h"
#include "whence/core/error.h"

namespace whence::kinds {
namespace {

void compare_text_seeds_with(config::Values& values, const std::filesystem::path& other_run) {
  auto& trust = values.get<TrustOptions>();
  if (!trust.other_run.empty())
    fail_usage("trust.other_run is {}, but --seeds compares each seed with the next; leave one of them out",
               trust.other_run);
  trust.other_run = other_run.string();
}

}  // namespace

std::vector<experiment::Metric> text_metrics() {
  using enum experiment::Better;
  return {
      {"text_accuracy", "accuracy of the classifier of texts", "%", 2, higher,
       "The share of the test texts whose label gets the largest probability.",
       "text.classifier.test_accuracy"},
      {"text_flow", "I(alpha; Y) of decoded texts", "nats", 3, higher,
       "Information flow from alpha to the classifier's answer to decoded texts.", "text.flow.alpha.nats"},
      {"text_beta_share", "share of the flow in the betas", "%", 2, lower,
       "I(beta; Y) / (I(alpha; Y) + I(beta; Y)) of decoded texts, flows below 0 counted as 0.",
       "text.flow.beta_share"},
      {"text_largest_beta", "largest I(beta_i; Y) of decoded texts", "nats", 4, lower,
       "The largest information flow from one beta to the classifier's answer to decoded texts.",
       "text.flow.largest_beta"},
      {"text_flips", "texts that flip from alpha = -2 to +2", "%", 1, higher,
       "Share of test texts whose decoded ends have both answers that the ends of an alpha promise.",
       "text.flips.mean"},
      {"text_judge", "naive Bayes agrees with the swept class", "%", 1, higher,
       "Share of the ends that a judge from people's labels gives the promised class.",
       "text.judge_agrees.mean"},
      {"text_kept_1", "words kept at alpha = ±1", "", 3, higher,
       "F1 of the words of a text decoded with an alpha at -1 or 1 and those of its reconstruction.",
       "text.words_kept.at_1.mean"},
      {"text_kept_2", "words kept at alpha = ±2", "", 3, higher,
       "F1 of the words of a text decoded with an alpha at -2 or 2 and those of its reconstruction.",
       "text.words_kept.at_2.mean"},
      {"text_reconstruction", "words of the text in its reconstruction", "", 3, higher,
       "F1 of the words of a test text and those of its reconstruction.",
       "text.words_kept.reconstruction.mean"},
      {"text_perplexity", "perplexity of swept texts", "", 0, lower,
       "Perplexity of texts with moved alphas under the language model of the corpus.",
       "text.fluency.perplexity"},
      {"text_repeats", "swept texts that repeat themselves", "%", 1, lower,
       "Share of texts with moved alphas that have a word twice in a row, or two neighbours again.",
       "text.fluency.repeats"},
      {"text_copies", "swept texts that are training texts", "%", 1, lower,
       "Share of texts with moved alphas that are training texts, word for word.", "text.fluency.copies"},
      {"text_nll", "-log p of a word given the code", "nats", 3, lower,
       "-log p of a word or an end of a test text, given its code and the words before.",
       "text.bound.nll_per_word"},
      {"text_kl", "KL of the codes", "nats", 1, neither,
       "KL divergence of the codes of test texts from N(0, I), the mean over texts.", "text.bound.kl.mean"},
      {"text_active_units", "active latents", "", 0, higher,
       "Latents whose posterior mean varies by more than 0.01.", "text.bound.active_units"},
      {"text_reencoding", "reconstructions that keep their text's answer", "%", 1, higher,
       "Share of test texts to whose reconstruction the classifier gives the same answer.",
       "text.trust.reencoding.value"},
      {"text_seed_agreement", "correlation of all alphas with another training's", "", 3, higher,
       "The mean canonical correlation with trust.other_run over the test texts.",
       "text.trust.seeds.alpha_subspace"},
      {"text_seconds", "training of the explanation of texts", "min", 1, lower,
       "Time that the training of the generator of texts took.", "text.train_seconds"}};
}

experiment::Kind text_kind() {
  experiment::Kind kind{
      "text",
      "Which learned cause moves a classifier of texts: a generator of texts whose alpha changes the answer "
      "and whose betas do not.",
      text_sections(),
      [](const config::Values& values) { return experiment::is_text(values.get<experiment::DataOptions>()); },
      check_text};
  kind.stages = text_stages();
  kind.metrics = text_metrics();
  kind.figures = draw_text;
  kind.report = report_text;
  kind.compare = compare_text_seeds_with;
  return kind;
}

}  // namespace whence::kinds
