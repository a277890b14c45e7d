// The part of a report that runs encoder, decoder and classifier in the browser.
#pragma once

#include "experiment/figures.h"
#include "experiment/kind.h"
#include "interchange/page_network.h"

namespace whence::kinds {

constexpr const char* kLiveFile = "live.json";
/// The section's name; other parts of the page find the networks by it.
constexpr const char* kTrySection = "try";

/// Writes live.json into the run folder for web/live.js: the networks, test images and their codes, and results to check the page
/// against. Returns its name; nothing where an operation of the decoder is unknown to the page.
std::optional<std::string> write_live(experiment::Session& session, experiment::Figures& figures,
                                      const std::vector<std::string>& factors, std::int64_t causal);

/// The decoder as the page has it; nothing where the page has none.
std::optional<nn::PageNetwork> page_decoder(const models::Decoder& decoder);

/// The section around it; nothing where the run has none.
std::optional<report::Section> live_section(const experiment::Run& run, bool explained);

}  // namespace whence::kinds
