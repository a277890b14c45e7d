// Layer-wise relevance propagation: the score is handed back from layer to layer. Which rule a layer uses stands in a composite.
#pragma once

#include "whence/explain/attribution/method.h"
#include "whence/nn/graph/walk_back.h"

namespace whence::attribution {

/// The names of nn::rule_table's rules, by the place of a layer.
struct Composite {
  std::string_view first;         ///< layers with weights that no other layer with weights stands before
  std::string_view convolutions;  ///< the other convolutions
  std::string_view others;        ///< linear layers, sums, averages, normalisations
};

/// Bach et al. 2015, equation 58, in all layers.
inline constexpr Composite kEpsilon = {"epsilon", "epsilon", "epsilon"};
/// After zennit's composite EpsilonPlus (Anders et al. 2021).
inline constexpr Composite kEpsilonPlus = {"z_plus", "z_plus", "epsilon"};
/// The same, with relevance spread evenly within the windows of the first layer.
inline constexpr Composite kEpsilonPlusFlat = {"flat", "z_plus", "epsilon"};
inline constexpr Composite kEpsilonAlpha2Beta1 = {"alpha_beta", "alpha_beta", "epsilon"};
/// Montavon et al. 2019, section 10.3: gamma in convolutions.
inline constexpr Composite kEpsilonGamma = {"gamma", "gamma", "epsilon"};
/// The same, with a first layer that knows that images lie in [0, 1].
inline constexpr Composite kEpsilonGammaBox = {"z_box", "gamma", "epsilon"};

struct Lrp {
  double epsilon = 1e-6;  ///< of the rule "epsilon"
  double gamma = 0.25;    ///< of the rule "gamma"
};

/// The rules that a composite gives the layers of `network`; alpha_beta takes alpha 2 and beta 1.
nn::Rules rules_of(const Composite& composite, const nn::Network& network, const Lrp& options);

/// Batch normalisations are merged into the layers before them first (Hui and Binder 2019). Starts with what each logit z adds
/// to f to first order, z df/dz: of the logit score, the target's logit. The `completeness_error` says how far the relevance of
/// the image is from that: biases and epsilon take their share, and so do outputs without a positive term under z_plus. With
/// "epsilon" everywhere and a small epsilon this is input x gradient in networks of ReLUs (Ancona et al. 2018, proposition 1).
/// Errors: an operation that has no rule, by its name.
Attribution lrp_of(const Composite& composite, const Request& request, const Options& options);

template <const Composite& composite>
Attribution lrp(const Request& request, const Options& options) {
  return lrp_of(composite, request, options);
}

inline constexpr Option kLrpOptions[] = {
    {"lrp_epsilon_size", NumberOption{place<&Lrp::epsilon>, 0}, "",
     "Added to the size of each output in the epsilon rule."},
    {"lrp_gamma_weight", NumberOption{place<&Lrp::gamma>, 0}, "",
     "By how much the gamma rule raises positive weights."},
};

}  // namespace whence::attribution
