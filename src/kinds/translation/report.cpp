// The section of the report.
#include <nlohmann/json.hpp>

#include "kinds/translation/translation.h"

namespace whence::kinds {
namespace {

std::string percent_of_way(const nlohmann::json& way, const char* name) {
  return fmt::format("{:.1f} %", 100 * way.at(name).get<double>());
}

std::string asked_class(const nlohmann::json& metrics) {
  const std::string target = metrics.at("target").get<std::string>();
  if (target == "second") return "their second most probable class";
  return target == "every" ? "every other class" : target;
}

std::string found_share(const nlohmann::json& way) {
  return fmt::format("{:.1f} %", 100 * (1 - way.at("failed").get<double>()));
}

/// What the independent classifier says of translations and of the control.
std::string transfer_sentence(const nlohmann::json& metrics) {
  const nlohmann::json& ways = metrics.at("ways");
  if (!ways.at("translation").contains("transfer")) return "";
  std::string text = fmt::format(
      " An independently trained classifier, which took no part in the training, gives the new "
      "class to {} of those.",
      percent_of_way(ways.at("translation"), "transfer"));
  const nlohmann::json pixels = ways.value("adversarial_l2", nlohmann::json::object());
  if (pixels.contains("transfer"))
    text += fmt::format(
        " It also gives the new class to {} of the images whose pixels were changed only to deceive the "
        "explained classifier. Translations are better by what lies above that.",
        percent_of_way(pixels, "transfer"));
  return text;
}

const char* const kHowMade =
    "**A translator** is one network that was trained to turn an image of any class into any other. It sees "
    "no pairs of images. A discriminator tells its translations from real images of the asked class, and a "
    "translation that is translated back must give the image again, so that it keeps what is not of the "
    "class "
    "(Zhu et al. 2017; Parafita 2018, chapter 6). It makes colours and a **mask** in [0, 1], and a "
    "translation has the image's own pixels where the mask is 0 (Pumarola et al. 2018).";

const char* const kMeanings =
    "**Not found**: the explained classifier does not give the new class. **Misses the stopping rule**: its "
    "entropy between the two classes is not below the bound that morphs must meet. **Transfers**: an "
    "independently trained classifier gives the new class, too. **Neighbours**: share of the 5 nearest "
    "training images that are of the new class. **Distance**: L2 from the image. **IM1** and **IM2**: as for "
    "morphs. **Cycle error**: mean absolute difference between the image and its translation translated "
    "back. "
    "**Mask**: its mean, the share of the image that may change.";

}  // namespace

std::string translation_answer(const nlohmann::json& metrics) {
  const nlohmann::json& way = metrics.at("ways").at("translation");
  return fmt::format(
      "**The classifier gives {} of {} translated test images the class that was asked for** "
      "({}).{}",
      found_share(way), metrics.at("cases").get<std::int64_t>(), asked_class(metrics),
      transfer_sentence(metrics));
}

report::Section translation_section_of(const nlohmann::json& metrics) {
  report::Section section{"translation", "Images translated to another class", {}, {}, {}};
  const nlohmann::json& way = metrics.at("ways").at("translation");
  section.paragraphs = {
      kHowMade, translation_answer(metrics),
      fmt::format(
          "A mask covers {} of an image on average. Translated back, a value differs from the image's "
          "by {:.3f} of its range.",
          percent_of_way(way, "mask"), way.at("cycle").get<double>())};
  section.tables.push_back(table_of_ways(ways_in(metrics), nullptr));
  section.paragraphs.emplace_back(kMeanings);
  return section;
}

}  // namespace whence::kinds
