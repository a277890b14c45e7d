// What a person asks of a trained explanation of texts: about a text that was typed, or about test texts.
#pragma once

#include "kinds/text/text.h"
#include "whence/explain/flow/ablation.h"

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
/// The nearest value of the first alpha whose text gets another answer than the reconstruction (text::nearest_change).
std::optional<DecodedText> counterfactual_of(const TextModels& models, const at::Tensor& code);

/// Accuracy against people's labels on `count` random test texts (0: all): of the texts, of their reconstructions, and of these with each factor replaced by a
/// draw from N(0, 1).
flow::Ablation ablate_texts(const TextModels& models, std::int64_t count, std::uint64_t seed);

/// {"leak": share of the flow in the betas, "reencoding": share of test texts whose reconstruction keeps their answer, "randomization": flow of alpha and its share with the
/// classifier and with `classifiers` that have random weights}; each with "value" and "se" where it is an estimate.
nlohmann::json check_text_trust(Session& session, const TextModels& models, std::int64_t classifiers,
                                const ProgressCallback& progress);

}  // namespace whence::kinds
