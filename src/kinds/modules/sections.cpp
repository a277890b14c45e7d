// The keys.
#include "kinds/modules/modules.h"

namespace whence::kinds {

config::Section modules_section() {
  using namespace config;
  using O = ModulesOptions;
  using modularity::EffectOptions, modularity::GroupingOptions, modularity::Influence,
      modularity::InfluenceOptions, modularity::MeasureOptions;
  constexpr std::int64_t most = 1'000'000;
  return {
      "modules",
      "Groups of channels of the generator that act on the same part of the image, and which of them moves "
      "the "
      "classifier ([modules.md](modules.md)).",
      {{"pairs", Integer{at(&O::pairs), 0, most}, "pairs",
        "Pairs of originals whose hybrids give the influence maps; at least 16, and 256 or more are advised. "
        "0 "
        "leaves modules out."},
       {"map_error", Number{at(&O::map_error), 0, 1}, "",
        "Relative standard error of the influence maps: more pairs are drawn until it is reached, at most "
        "65,536. "
        "0: pairs are enough."},
       {"layer", Text{at(&O::layer)}, "NAME",
        "The layer of the decoder whose channels are swapped; empty: the output of its first convolution."},
       {"originals", choice(at(&O::source), {"images", "prior"}), "",
        "Whether originals are encoded images of the data or draws from N(0, I). A generator without encoder "
        "has "
        "draws only."},
       {"rank", Integer{at(&O::rank), 0, 64}, "modules",
        "How many modules; 0: the largest number whose templates and labels are stable."},
       {"largest_rank", Integer{at(&O::largest), 2, 64}, "modules",
        "Numbers of modules from 2 to this one are compared."},
       {"divisions", Integer{at(&O::divisions), 1, 35}, "",
        "How often the pairs are divided into halves, whose modules are compared."},
       {"influence", choice(at(&O::influence, &InfluenceOptions::influence), names_to(Influence::variance)),
        "",
        "What a map shows: the mean squared change that the swap of one channel makes, or, as published, the "
        "variance of the hybrids, which is nearly the same for all channels."},
       {"relative", Toggle{at(&O::influence, &InfluenceOptions::relative)}, "",
        "Divides each map by the mean map of all channels."},
       {"symmetric", Toggle{at(&O::influence, &InfluenceOptions::symmetric)}, "",
        "Averages each map with its mirror image, for objects that look the same from left and right."},
       {"both_ways", Toggle{at(&O::influence, &InfluenceOptions::both_ways)}, "",
        "Swaps each channel in both directions, so that a pair gives two hybrids of it: maps are less noisy, "
        "and "
        "take twice the time."},
       {"per_colour", Toggle{at(&O::influence, &InfluenceOptions::per_colour)}, "",
        "Keeps the colours of maps and templates apart, so that channels may be grouped by the colour that "
        "they "
        "change; else maps are means over colours."},
       {"window", Integer{at(&O::grouping, &GroupingOptions::window), 1, 63}, "pixels",
        "Side of the square over which maps are averaged; odd."},
       {"percentile", Number{at(&O::grouping, &GroupingOptions::percentile), 0, 100}, "%",
        "Percentile of a map above which its pixels count as influenced."},
       {"restarts",
        Integer{
            at(&O::grouping, &GroupingOptions::factorization, &modularity::FactorizationOptions::restarts), 0,
            1000},
        "",
        "Random starts of the factorization besides the one from singular vectors; the least error is kept."},
       {"measured_pairs", Integer{at(&O::measured), 2, most}, "pairs",
        "Further pairs of originals that modularity is measured on."},
       {"random_sets", Integer{at(&O::measures, &MeasureOptions::random_sets), 1, 1000}, "",
        "Random sets of channels that each module is compared with."},
       {"untrained", Toggle{at(&O::untrained)}, "",
        "Measures the same of the generator with new weights: what the architecture alone gives."},
       {"flow_samples",
        Pair{at(&O::effect, &EffectOptions::outer), at(&O::effect, &EffectOptions::inner), 2, 100'000},
        "draws", "Draws of the swapped channels, and of the rest, that measure the information flow."},
       {"channel_flow", Toggle{at(&O::of_channels)}, "",
        "Measures the information flow of each channel, too."},
       {"memory", Integer{at(&O::memory_bytes), 1, std::int64_t{1} << 40}, "bytes",
        "Budget of a batch of hybrids."}}};
}

}  // namespace whence::kinds
