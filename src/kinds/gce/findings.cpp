#include "kinds/gce/findings.h"

#include "whence/explain/flow/trust.h"

namespace whence::kinds {
namespace {

/// From which share of the possible flow factors are said to move the classifier, and up to which not.
constexpr double kMoves = 0.8;
constexpr double kStill = 0.02;
/// What replacing a factor may cost, in accuracy, to be called nothing.
constexpr double kFree = 0.02;
/// Of the accuracy above guessing, the share below which re-encoded images are said not to come back as what they are.
constexpr double kBack = 0.5;

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

/// "alpha_1 and alpha_2", "alpha_1, alpha_2 and alpha_3"
std::string listed(const std::vector<Extreme>& factors) {
  std::string text;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == factors.size() ? " and " : ", ") + factors[i].factor;
  }
  return text;
}

void read_flow(const nlohmann::json& flow, Findings& findings) {
  findings.flow = flow.at("alpha").at("nats").get<double>();
  findings.flow_se = flow.at("alpha").at("se").get<double>();
  findings.most_possible = flow.at("most_possible").get<double>();
  findings.all_others = flow.at("beta").at("nats").get<double>();
  findings.noncausal_share =
      flow::leaked_share(flow.at("alpha").get<flow::FlowValue>(), flow.at("beta").get<flow::FlowValue>())
          .value;
  for (const nlohmann::json& factor : flow.at("factors")) {
    const Extreme value{factor.at("name").get<std::string>(), factor.at("nats").get<double>(),
                        factor.at("se").get<double>()};
    if (factor.at("causal").get<bool>()) {
      findings.causal.push_back(value);
    } else if (!findings.has_others || value.value > findings.largest_other.value) {
      findings.largest_other = value;
      findings.has_others = true;
    }
  }
  std::stable_sort(findings.causal.begin(), findings.causal.end(),
                   [](const Extreme& a, const Extreme& b) { return a.value > b.value; });
}

void read_ablation(const nlohmann::json& ablation, Findings& findings) {
  findings.original = ablation.at("original").get<double>();
  findings.reencoded = ablation.at("reencoded").get<double>();
  findings.alpha_kept.value = -1;
  findings.beta_kept.value = 2;
  for (const auto& [factor, value] : ablation.at("replaced").items()) {
    const double accuracy = value.get<double>();
    const bool causal = factor.starts_with("alpha");
    if (causal && accuracy > findings.alpha_kept.value) findings.alpha_kept = {factor, accuracy, 0};
    if (!causal && accuracy < findings.beta_kept.value) findings.beta_kept = {factor, accuracy, 0};
  }
}

std::string moving_sentence(const Findings& f) {
  const std::string flow = fmt::format("{:.3f} ± {:.3f} of the {:.3f} nats that are possible ({:.0f} %)",
                                       f.flow, kInterval * f.flow_se, f.most_possible, 100 * f.share());
  const bool one = f.causal.size() == 1;
  if (f.share() >= kMoves) {
    return fmt::format("**{} {} this classifier**: {}carries {}.", listed(f.causal), one ? "moves" : "move",
                       one ? "it alone " : "their joint information flow ", flow);
  }
  if (f.share() <= kStill) {
    return fmt::format(
        "**{} {} not move this classifier**: the information flow is {}; there is no explanation here.",
        listed(f.causal), one ? "does" : "do", flow);
  }
  return fmt::format(
      "**{} {} this classifier only in part**: the information flow is {}; the explanation is "
      "incomplete.",
      listed(f.causal), one ? "moves" : "move", flow);
}

std::string still_sentence(const Findings& f) {
  if (!f.has_others) return "There are no other factors.";
  const std::string largest =
      fmt::format("the largest, {}, carries {:.4f} nats", f.largest_other.factor, f.largest_other.value);
  if (f.largest_other.value <= kStill * f.most_possible) {
    if (f.all_others <= kStill * f.most_possible)
      return fmt::format("**The other factors do not**: {}.", largest);
    return fmt::format("**No other factor does by itself**: {}; all of them together carry {:.3f}.", largest,
                       f.all_others);
  }
  return fmt::format("**Some of the flow leaks into the other factors**: {}.", largest);
}

/// Points of accuracy, at least 0: what replacing costs, where chance may make it seem to help.
double points_lost(const Findings& f, double left) { return std::max(0.0, 100 * (f.reencoded - left)); }

/// Whether test images, encoded and decoded, are still what they were to the classifier.
bool come_back(const Findings& f) {
  const double guess = std::exp(-f.most_possible);
  return f.reencoded - guess >= kBack * (f.original - guess);
}

std::string sure_sentence(const Findings& f) {
  const std::string kept =
      fmt::format("keep {} accuracy (originals {})", percent(f.reencoded), percent(f.original));
  std::string text =
      come_back(f) ? "Re-encoded test images " + kept
                   : "**Many reconstructions lose their image's answer**: re-encoded, test images " + kept +
                         ", so this explains the answers to generated images (explanation.answer_weight "
                         "makes reconstructions keep their answers)";
  text += fmt::format("; replacing a causal factor by noise costs at least {:.1f} points",
                      points_lost(f, f.alpha_kept.value));
  if (f.has_others) {
    text += fmt::format(", any other at most {:.1f}", points_lost(f, f.beta_kept.value));
  }
  return text + ".";
}

}  // namespace

Findings findings_of(const nlohmann::json& metrics) {
  Findings findings;
  const nlohmann::json& gce = metrics.at("gce");
  read_flow(gce.at("information_flow"), findings);
  read_ablation(gce.at("ablation"), findings);
  findings.sse = gce.at("test").at("sse").get<double>();
  findings.kl = gce.at("test").at("kl").get<double>();
  return findings;
}

std::string answer(const Findings& findings) {
  return moving_sentence(findings) + " " + still_sentence(findings) + " " + sure_sentence(findings);
}

std::vector<report::Headline> headlines(const Findings& f) {
  using enum report::Headline::Mood;
  std::vector<report::Headline> lines;
  lines.push_back({fmt::format("{:.3f} nats", f.flow), "moves the classifier (all alpha)",
                   fmt::format("of {:.3f} possible, ± {:.3f}", f.most_possible, kInterval * f.flow_se),
                   f.share() >= kMoves ? good : bad});
  if (f.has_others) {
    lines.push_back({fmt::format("{:.4f} nats", f.largest_other.value), "largest flow of a beta",
                     fmt::format("{}, ± {:.4f}", f.largest_other.factor, kInterval * f.largest_other.se),
                     f.largest_other.value <= kStill * f.most_possible ? good : bad});
  }
  const double lost = points_lost(f, f.alpha_kept.value);
  lines.push_back({fmt::format("{:.1f} points", lost), "accuracy lost without a causal factor, at least",
                   fmt::format("{} replaced by noise", f.alpha_kept.factor),
                   lost > 100 * kFree ? good : bad});
  lines.push_back({percent(f.reencoded), "accuracy on re-encoded test images",
                   fmt::format("{} on the originals", percent(f.original)), come_back(f) ? neutral : bad});
  return lines;
}

}  // namespace whence::kinds
