// What a person asks of a trained explanation of texts: about a text that was typed, or about test texts.
#pragma once

#include "kinds/gce/trust.h"
#include "kinds/text/text.h"
#include "whence/explain/flow/ablation.h"
#include "whence/explain/text/counterfactual.h"

namespace whence::kinds {

/// Means of the posteriors of texts in the corpus' vocabulary, (N, D).
at::Tensor text_codes(const TextModels& models, const at::Tensor& numbers);
/// Random rows of the test texts; `count` 0: all.
at::Tensor test_rows(const TextModels& models, std::int64_t count, at::Generator& generator);

/// A text as the classifier and the generator read it.
struct AskedText {
  data::Words words;
  at::Tensor answer;                 ///< the classifier's, to all of its words, (M)
  at::Tensor code;                   ///< the generator's, (1, D): the posterior's mean
  std::vector<std::string> unknown;  ///< words that the generator does not know
  std::int64_t left_out = 0;         ///< words at the end that the generator does not read
};
/// As the models' tokenizer cuts it. Errors (usage): not UTF-8, no word, only words that the generator does not know.
AskedText ask(const TextModels& models, const std::string& text);
/// `count` random test texts (0: all).
std::vector<AskedText> ask_test_texts(const TextModels& models, std::int64_t count, std::uint64_t seed);

/// A decoded text and the classifier's answer to it, (M).
struct DecodedText {
  data::Words words;
  at::Tensor answer;
  double value = 0;  ///< of the factor that was moved
};
DecodedText reconstruction_of(const TextModels& models, const at::Tensor& code);
/// `values` are added to a factor of the code.
std::vector<DecodedText> sweep_text(const TextModels& models, const at::Tensor& code, std::int64_t factor,
                                    const std::vector<double>& values);
/// A decoded text with moved alphas; `value` is the first one.
struct ChangedText : DecodedText {
  std::vector<double> alpha;  ///< all of them
  double distance = 0;        ///< from those of the code
};
/// The smallest move of the alphas whose text gets another answer than the reconstruction (text::nearest_change).
std::optional<ChangedText> counterfactual_of(const TextModels& models, const at::Tensor& code,
                                             const text::ChangeSearch& search = {});

/// Accuracy against people's labels on `count` random test texts (0: all): of the texts, of their reconstructions, and of these with each factor replaced by a
/// draw from N(0, 1).
flow::Ablation ablate_texts(const TextModels& models, std::int64_t count, std::uint64_t seed);

/// Flows of a run, as it has measured them.
struct TextFlows {
  flow::FlowValue alpha, beta;
};
/// As kinds::check_trust: {"leak": flow::leaked_share, "reencoding": share of test texts whose reconstruction keeps their answer, with "texts", "randomization":
/// flow::randomization_check with newly drawn text classifiers, or {"left_out": why}, "seeds": flow::seed_agreement on the test texts, where another run is given}.
/// Errors: another run that is not trained, not about texts, or whose generator does not know the test texts' words.
nlohmann::json check_text_trust(Session& session, const TextModels& models, const TextFlows& flows,
                                const TrustOptions& options, const ProgressCallback& progress);
experiment::Stage text_trust_stage();

}  // namespace whence::kinds
