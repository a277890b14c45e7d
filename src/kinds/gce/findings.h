// The results of a run, as numbers for tables and as sentences.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "experiment/metrics.h"
#include "report/page.h"

namespace whence::kinds {

using experiment::kInterval;

/// From this correlation on, a factor is said to have come back in another training.
constexpr double kCameBack = 0.9;

/// An accuracy or a flow with the factor it belongs to.
struct Extreme {
  std::string factor;
  double value = 0, se = 0;
};

struct Findings {
  double flow = 0, flow_se = 0, most_possible = 0;  ///< nats
  std::vector<Extreme> causal;                      ///< flow of each alpha, largest first
  Extreme largest_other;                            ///< the largest flow of a beta
  double all_others = 0;                            ///< I(beta; Y), nats
  double noncausal_share = 0;                       ///< flow::leaked_share; NaN where nothing flows
  double original = 0, reencoded = 0;               ///< shares
  Extreme alpha_kept, beta_kept;  ///< largest accuracy without an alpha, smallest without a beta
  double sse = 0, kl = 0;
  bool has_others = false;  ///< there is a beta

  double share() const { return flow / most_possible; }
};
Findings findings_of(const nlohmann::json& metrics);

/// One to three sentences: what moves the classifier, what does not, how sure.
std::string answer(const Findings& findings);
std::vector<report::Headline> headlines(const Findings& findings);
/// What `metrics.gce.brightness` says.
report::Table brightness_table(const nlohmann::json& brightness);
/// What `metrics.gce.trust` says. `subject`: what is explained, "image" or "text".
report::Section trust_section(const nlohmann::json& trust, const std::string& subject = "image");

}  // namespace whence::kinds
