// Sections of the report that are words and tables made of metrics alone.
#include "kinds/gce/findings.h"

namespace whence::kinds {
namespace {

/// Up to this share of the flow in beta, the causal factors are said to tell the whole story.
constexpr double kLeakFree = 0.03;

/// Not so of a share of nothing, which JSON has no number for.
bool is_known(const nlohmann::json& share) {
  return share.contains("value") && share.at("value").is_number();
}

std::string with_interval(const nlohmann::json& share) {
  if (!is_known(share)) return "no share (nothing moves it)";
  return fmt::format("{:.1f} ± {:.1f} %", 100 * share.at("value").get<double>(),
                     100 * kInterval * share.at("se").get<double>());
}

std::string leak_paragraph(const nlohmann::json& leak) {
  if (!is_known(leak)) return "Nothing moves the classifier, neither alpha nor beta.";
  const bool free = leak.at("value").get<double>() <= kLeakFree;
  return fmt::format("**{}** The betas should not matter; they carry {} of the flow.",
                     free ? "Alpha carries the flow." : "Some of the flow is in beta.", with_interval(leak));
}

std::string reencoding_paragraph(const nlohmann::json& reencoding, const std::string& subject) {
  return fmt::format(
      "**Reconstructions that keep their {0}'s answer:** {1} of {2} test {0}s. For the others, the "
      "explanation is about {3} {0} that the classifier sees differently.",
      subject, with_interval(reencoding), reencoding.at(subject + "s").get<std::int64_t>(),
      subject == "image" ? "an" : "a");
}

std::string randomization_paragraph(const nlohmann::json& check, const std::string& subject) {
  if (check.contains("left_out"))
    return fmt::format("**Randomized classifiers** were not tried: {}.",
                       check.at("left_out").get<std::string>());
  const bool passed = check.at("passed").get<bool>();
  return fmt::format(
      "**{}** {} classifiers of the same architecture with random weights saw the same generated {}s; "
      "their outputs were scaled to the spread of this classifier's. Alpha carries {} of the flow to the "
      "explained classifier and {} of the flow to the random ones. Their answers correlate with its answers "
      "by {:.2f}.",
      passed ? "The explanation is about this classifier."
             : "The explanation may not be about this classifier: alpha moves random classifiers as much.",
      check.at("randomized").size(), subject, with_interval(check.at("alpha_share")),
      with_interval(check.at("randomized_share")), check.at("correlation").get<double>());
}

std::string seeds_paragraph(const nlohmann::json& trust, const std::string& subject) {
  if (!trust.contains("seeds"))
    return "**Another training** was not compared. Name a run with another seed as trust.other_run to see "
           "whether it finds the same causes.";
  const nlohmann::json& seeds = trust.at("seeds");
  const double together = seeds.at("alpha_subspace").get<double>();
  return fmt::format(
      "**{}** Over the test {}s, the alphas of the two trainings correlate by {:.2f} all together, and by "
      "{:.2f} on average one by one (a mirrored factor is the same factor).",
      together >= kCameBack ? "Another training finds the same causes."
                            : "Another training finds other causes.",
      subject, together, seeds.at("alpha_mean").get<double>());
}

report::Table matches_table(const nlohmann::json& seeds) {
  report::Table table{{"factor", "in the other training", "correlation"}, {}, ""};
  for (const char* kind : {"alpha", "beta"})
    for (const nlohmann::json& match : seeds.at(kind))
      table.rows.push_back({match.at("factor").get<std::string>(), match.at("other").get<std::string>(),
                            fmt::format("{:.3f}", match.at("correlation").get<double>())});
  return table;
}

}  // namespace

report::Table brightness_table(const nlohmann::json& brightness) {
  report::Table table{
      {"factor", "of the image it is read from", "of the image it makes"},
      {},
      fmt::format("Correlation of each factor with brightness (mean intensity): over the test images, and "
                  "over {} generated images. Near 1 or -1, a factor is brightness.",
                  brightness.at("draws").get<std::int64_t>())};
  for (const nlohmann::json& factor : brightness.at("factors"))
    table.rows.push_back({factor.at("name").get<std::string>(),
                          fmt::format("{:.2f}", factor.at("encoded").get<double>()),
                          fmt::format("{:.2f}", factor.at("generated").get<double>())});
  return table;
}

report::Section trust_section(const nlohmann::json& trust, const std::string& subject) {
  report::Section section{"trust", "Checks", {}, {}, {}};
  section.paragraphs = {
      leak_paragraph(trust.at("leak")), reencoding_paragraph(trust.at("reencoding"), subject),
      randomization_paragraph(trust.at("randomization"), subject), seeds_paragraph(trust, subject)};
  if (trust.contains("seeds")) section.tables.push_back(matches_table(trust.at("seeds")));
  return section;
}

}  // namespace whence::kinds
