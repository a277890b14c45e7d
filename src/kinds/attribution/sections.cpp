// The keys: those of the kind, and one for each option of each method.
#include <set>

#include "kinds/attribution/attribution.h"
#include "kinds/morphing/morphing.h"
#include "whence/explain/attribution/path_mask.h"

namespace whence::kinds {
namespace {

using config::At;
using config::Type;

/// The value of a method's option.
template <class T>
At<T> place_of(T& (*at)(attribution::Options&)) {
  return [at](config::Values& values) -> T& { return at(values.get<AttributionOptions>().options); };
}
Type type_of(const attribution::IntegerOption& option) {
  return config::Integer{place_of(option.at), option.least, option.most};
}
Type type_of(const attribution::NumberOption& option) {
  return config::Number{place_of(option.at), option.least, option.most};
}
Type type_of(const attribution::TextOption& option) { return config::Text{place_of(option.at)}; }

std::vector<std::string_view> method_names() {
  std::vector<std::string_view> names;
  for (const attribution::Method& method : attribution::methods()) names.push_back(method.name);
  return names;
}

}  // namespace

config::Section attribution_section() {
  using namespace config;
  using attribution::PerturbationOptions;
  using attribution::Replacement;
  Section section{
      "attribution",
      "Maps of the pixels that speak for the classifier's answer, and measures of them.",
      {{"methods", Choices{method_names(), at(&AttributionOptions::methods)}, "",
        "Methods that are run and compared; an empty list leaves attributions out."},
       {"images", Integer{at(&AttributionOptions::images), 1, 1'000'000'000}, "images",
        "Test images, drawn at random, that are explained."},
       {"score",
        choice(at(&AttributionOptions::options, &attribution::Options::score),
               {attribution::name_of(attribution::Score::logit),
                attribution::name_of(attribution::Score::probability)}),
        "", "The number that is explained: the logit of the classifier's answer, or its probability."},
       {"batch", Integer{at(&AttributionOptions::options, &attribution::Options::batch), 1, 1'000'000},
        "images", "Images that go through the classifier at once; fewer need less memory."},
       {"references", Integer{at(&AttributionOptions::references), 1, 1'000'000}, "images",
        "Images of the data that baselines are drawn from."},
       {"patch", Integer{at(&AttributionOptions::perturbation, &PerturbationOptions::patch), 0, 4096},
        "pixels",
        "Side of the regions that the measures take out of an image; 0 is a seventh of the shorter side, at "
        "least 4."},
       {"replacement",
        choice(at(&AttributionOptions::perturbation, &PerturbationOptions::replacement),
               {attribution::name_of(Replacement::constant), attribution::name_of(Replacement::mean),
                attribution::name_of(Replacement::blur), attribution::name_of(Replacement::imputation),
                attribution::name_of(Replacement::generator)}),
        "",
        "What comes in their place: a constant grey level, the mean of each channel, the image behind a "
        "Gaussian filter as wide as a region, noisy linear imputation from the neighbours (ROAD), or what "
        "the "
        "run's generator makes of the rest."},
       {"fill", Number{at(&AttributionOptions::perturbation, &PerturbationOptions::fill), 0, 1}, "",
        "The constant grey level; 0 is black."},
       {"subsets", Integer{at(&AttributionOptions::perturbation, &PerturbationOptions::subsets), 0, 100'000},
        "",
        "Random sets of regions that Sensitivity-n and infidelity take out of each image; 0 leaves both "
        "out."},
       {"noise_draws",
        Integer{at(&AttributionOptions::perturbation, &PerturbationOptions::noise_draws), 0, 100'000}, "",
        "Noisy copies of each image for max-sensitivity; 0 leaves it out."},
       {"noise", Number{at(&AttributionOptions::perturbation, &PerturbationOptions::noise), 0, 1},
        "share of the image's range", "Largest change of a value in them."}}};
  std::set<std::string_view> known;
  for (const attribution::Method& method : attribution::methods())
    for (const attribution::Option& option : method.options)
      if (known.insert(option.name).second)
        section.keys.push_back({option.name,
                                std::visit([](const auto& type) { return type_of(type); }, option.type),
                                option.unit, option.meaning});
  return section;
}

AttributionOptions attribution_options(const config::Values& values) {
  AttributionOptions options = values.get<AttributionOptions>();
  options.options.of<attribution::ImagePath>().morphing = values.get<MorphingOptions>().search;
  return options;
}

}  // namespace whence::kinds
