// The row of the table, and its metrics.
#include "kinds/text/text.h"

namespace whence::kinds {

std::vector<experiment::Metric> text_metrics() {
  using enum experiment::Better;
  return {
      {"text_accuracy", "accuracy of the classifier of texts", "%", 2, higher, "On the test texts.",
       "text.classifier.test_accuracy"},
      {"text_flow", "I(alpha; Y) of decoded texts", "nats", 3, higher,
       "Information flow from alpha to the classifier's answer to decoded texts.", "text.flow.alpha.nats"},
      {"text_beta_share", "share of the flow in the betas", "%", 2, lower,
       "Flow of all betas over that of alpha and betas.", "text.flow.beta_share"},
      {"text_largest_beta", "largest I(beta_i; Y) of decoded texts", "nats", 4, lower,
       "The largest flow of a beta.", "text.flow.largest_beta"},
      {"text_flips", "texts that flip from alpha = -2 to +2", "%", 1, higher,
       "Share of test texts whose decoded ends have both promised answers.", "text.flips.mean"},
      {"text_judge", "naive Bayes agrees with the swept class", "%", 1, higher,
       "Share of the ends that a judge from people's labels gives the promised class.",
       "text.judge_agrees.mean"},
      {"text_kept_1", "words kept at alpha = ±1", "", 3, higher,
       "F1 of the words with the own reconstruction.", "text.words_kept.at_1.mean"},
      {"text_kept_2", "words kept at alpha = ±2", "", 3, higher,
       "F1 of the words with the own reconstruction.", "text.words_kept.at_2.mean"},
      {"text_reconstruction", "words of the text in its reconstruction", "", 3, higher, "F1 of the words.",
       "text.words_kept.reconstruction.mean"},
      {"text_perplexity", "perplexity of swept texts", "", 0, lower, "By a language model of the corpus.",
       "text.fluency.perplexity"},
      {"text_repeats", "swept texts that repeat themselves", "%", 1, lower,
       "A word twice in a row, or two neighbours again.", "text.fluency.repeats"},
      {"text_copies", "swept texts that are training texts", "%", 1, lower, "Word for word.",
       "text.fluency.copies"},
      {"text_nll", "-log p of a word given the code", "nats", 3, lower, "On test texts, ends included.",
       "text.bound.nll_per_word"},
      {"text_kl", "KL of the codes", "nats", 1, neither, "On test texts.", "text.bound.kl.mean"},
      {"text_active_units", "active latents", "", 0, higher,
       "Latents whose posterior mean varies by more than 0.01.", "text.bound.active_units"},
      {"text_seconds", "training of the explanation of texts", "min", 1, lower,
       "The training of the generator.", "text.train_seconds"}};
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
  return kind;
}

}  // namespace whence::kinds
