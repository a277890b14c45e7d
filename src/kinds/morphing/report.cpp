#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kinds/morphing/study.h"

namespace whence::kinds {
namespace {

std::string number_in(const nlohmann::json& own, const char* name, const char* form = "{:.3f}") {
  return own.contains(name) ? fmt::format(fmt::runtime(form), own.at(name).get<double>()) : "";
}
std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }
std::string percent_in(const nlohmann::json& own, const char* name) {
  return own.contains(name) ? percent(own.at(name).get<double>()) : "";
}

report::Table ways_table(const nlohmann::json& metrics) {
  return table_of_ways(ways_in(metrics), {{"title", "no change (reconstruction)"},
                                          {"reencoding", metrics.at("reencoding_of_reconstructions")},
                                          {"distance", 0}});
}

std::string meanings() {
  return "**Transfers**: a classifier that was trained independently gives the changed image the new class, "
         "too. **Neighbours**: share "
         "of the 5 nearest reconstructions of training images that are of the new class. **Re-encoding "
         "error**: squared error "
         "when the changed image is encoded and decoded; images that the generator does not know have a "
         "large one. **Distance**: L2, "
         "from what was changed. **IM1**: error of an autoencoder of the new class by that of the old "
         "class's; below 1 "
         "the image lies nearer to the new class. **IM2**: squared difference between the reconstructions by "
         "the new class's "
         "autoencoder and by one of all classes, by the sum of the pixels (Van Looveren and Klaise 2019; "
         "whence's autoencoders are "
         "linear). The adversarial changes are the control: they show what a morph must not be.";
}

std::string endings_sentence(const nlohmann::json& endings) {
  std::string text;
  for (const char* name : {"as sure as a training image", "a training image itself", "failed"})
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", percent(endings.at(name).get<double>()), name);
  return text;
}

std::string sure_sentence(const nlohmann::json& metrics) {
  double least = 1;
  std::string name;
  for (const auto& [label, share] : metrics.at("sure_images").items())
    if (share.get<double>() < least) least = share.get<double>(), name = label;
  if (name.empty()) return "";
  return fmt::format(
      " Of training images' reconstructions {} of class {} are as sure as this rule asks, and more of every "
      "other class.",
      percent(least), name);
}

/// Of "... images were turned into": "their second most probable class"
std::string target_text(const nlohmann::json& metrics) {
  const std::string target = metrics.at("target").get<std::string>();
  if (target == "second") return "their second most probable class";
  return target == "every" ? "every other class" : target;
}

}  // namespace

void answer_with_morphs(const nlohmann::json& metrics, report::Page& page) {
  const nlohmann::json& morph = metrics.at("ways").at("morph");
  const auto cases = metrics.at("cases").get<std::int64_t>();
  page.answer = fmt::format("**{} of {} test images were turned into {}**, along a path of images",
                            percent(1 - morph.at("failed").get<double>()), cases, target_text(metrics));
  page.headlines = {{percent(1 - morph.at("failed").get<double>()), "images that were turned", ""}};
  if (morph.contains("transfer")) {
    page.answer += fmt::format("; an independently trained classifier sees the new class in {} of them",
                               percent_in(morph, "transfer"));
    const nlohmann::json pixels = metrics.at("ways").value("adversarial_l2", nlohmann::json::object());
    page.headlines.push_back({percent_in(morph, "transfer"), "the independent classifier agrees",
                              pixels.contains("transfer") ? fmt::format("{} with mere changes of pixels",
                                                                        percent_in(pixels, "transfer"))
                                                          : ""});
  }
  page.answer += ".";
  page.headlines.push_back({percent_in(morph, "neighbours"), "neighbours of the new class",
                            "among the 5 nearest reconstructions"});
  page.headlines.push_back({number_in(morph, "reencoding_ratio", "{:.2f}"), "error when encoded again",
                            "by that of reconstructions"});
}

report::Section morphing_section_of(const nlohmann::json& metrics) {
  report::Section section{"morphing", "What the images would be as another class", {}, {}, {}};
  const nlohmann::json& morph = metrics.at("ways").at("morph");
  section.paragraphs.push_back(
      fmt::format("A morph is found in the codes of the autoencoder, so that it stays an image of the data "
                  "(Parafita 2018; method "
                  "\"{}\"). **{} of {} morphs** meet the stopping rule: entropy of the two classes below "
                  "{:g} bits, and more than "
                  "half of the probability. Of the rest: {}.{}",
                  metrics.at("method").get<std::string>(), percent(1 - morph.at("unfinished").get<double>()),
                  metrics.at("cases").get<std::int64_t>(), metrics.at("entropy").get<double>(),
                  endings_sentence(morph.at("endings")), sure_sentence(metrics)));
  section.paragraphs.push_back(
      fmt::format("For {} of the images there is a code whose decoding keeps the two most probable classes; "
                  "for the others the morph starts from an "
                  "image that the classifier reads differently.",
                  percent(metrics.at("kept").get<double>())));
  if (metrics.value("residual", false))
    section.paragraphs.push_back(
        "What a reconstruction lacks of its image, the **residual**, is added to all images on the way: a "
        "morph starts "
        "from the image itself and keeps its detail. The code carries the change.");
  section.tables.push_back(ways_table(metrics));
  section.paragraphs.push_back(meanings());
  return section;
}

}  // namespace whence::kinds
