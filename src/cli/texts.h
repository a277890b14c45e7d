// The commands on runs about texts: what they print in a terminal.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace whence::cli {

/// Whether a run folder is about texts; false where there is no such folder.
bool is_about_texts(const std::filesystem::path& run);

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
/// The nearest text with another answer; for several texts also how often there is one.
void show_text_counterfactuals(const TextQuestion& question);
void ablate_run_of_texts(const TextQuestion& question);
void trust_run_of_texts(const TextQuestion& question, std::int64_t classifiers);

}  // namespace whence::cli
