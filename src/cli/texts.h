// The commands on runs about texts: what they print in a terminal.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/model_options.h"
#include "kinds/gce/trust.h"
#include "whence/explain/text/counterfactual.h"

namespace whence::cli {

/// Whether a run folder is about texts; false where there is no such folder.
bool is_about_texts(const std::filesystem::path& run);

/// Errors (usage): one of `options` was given, which a run about texts has no use for; model files beside the run.
void refuse_for_texts(const CLI::App& command, const ModelArguments& models,
                      const std::vector<std::string>& options);
/// Error (usage): both --text and `option`, which draws test texts.
void refuse_beside_text(const CLI::App& command, const std::string& option);

/// What stands on the command line: texts that were typed, or how many random test texts.
struct TextQuestion {
  std::filesystem::path run;
  std::vector<std::string> texts;
  std::int64_t count = 0;
  std::int64_t threads = 0;
  bool json = false;
};

/// A line for each value of each factor ("alpha_1", ...; none named: all alphas). Errors (usage): those of kinds::ask; no such factor.
void sweep_texts(const TextQuestion& question, const std::vector<std::string>& factors, double range,
                 std::int64_t steps);
/// The nearest text with another answer, or of the class `to` (its name; empty: any other); for several texts also how often there is one. Error (usage): no such
/// class.
void show_text_counterfactuals(const TextQuestion& question, text::ChangeSearch search,
                               const std::string& to);
/// `out`: a folder for the figure; empty: none.
void ablate_run_of_texts(const TextQuestion& question, const std::filesystem::path& out);
/// kinds::check_text_trust. `samples`: draws that measure the flows; none: those of the run's metrics are taken, where it has them.
nlohmann::json trust_of_texts(const TextQuestion& question, const kinds::TrustOptions& options,
                              std::optional<std::pair<std::int64_t, std::int64_t>> samples);

}  // namespace whence::cli
