// The table. One more method is one more row.
#include "whence/core/error.h"
#include "whence/core/names.h"
#include "whence/explain/attribution/excitation.h"
#include "whence/explain/attribution/expected_gradients.h"
#include "whence/explain/attribution/grad_cam.h"
#include "whence/explain/attribution/gradients.h"
#include "whence/explain/attribution/guided.h"
#include "whence/explain/attribution/integrated_gradients.h"
#include "whence/explain/attribution/occlusion.h"
#include "whence/explain/attribution/relevance.h"
#include "whence/explain/attribution/rise.h"
#include "whence/explain/attribution/shapley_sampling.h"
#include "whence/explain/attribution/smooth_grad.h"

namespace whence::attribution {
namespace {

constexpr Method kMethods[] = {
    {.name = "gradient",
     .title = "gradient",
     .meaning = "What a small change of a value does to the score.",
     .source = "Simonyan, Vedaldi and Zisserman 2014",
     .compute = gradient},
    {.name = "gradient_magnitude",
     .title = "gradient magnitude",
     .meaning = "The largest absolute gradient of a pixel's channels.",
     .source = "Simonyan, Vedaldi and Zisserman 2014",
     .unit = Unit::pixel,
     .is_signed = false,
     .compute = gradient_magnitude},
    {.name = "input_times_gradient",
     .title = "input x gradient",
     .meaning = "The gradient weighed by the value that it belongs to.",
     .source = "Shrikumar et al. 2016",
     .compute = input_times_gradient},
    {.name = "smooth_grad",
     .title = "SmoothGrad",
     .meaning = "The mean gradient of noisy copies of the image.",
     .source = "Smilkov et al. 2017",
     .options = kSmoothGradOptions,
     .compute = smooth_grad},
    {.name = "smooth_grad_squared",
     .title = "SmoothGrad squared",
     .meaning = "The mean squared gradient of noisy copies of the image.",
     .source = "Hooker et al. 2019",
     .is_signed = false,
     .options = kSmoothGradOptions,
     .compute = smooth_grad_squared},
    {.name = "var_grad",
     .title = "VarGrad",
     .meaning = "The variance of the gradient among noisy copies of the image.",
     .source = "Adebayo et al. 2018",
     .is_signed = false,
     .options = kSmoothGradOptions,
     .compute = var_grad},
    {.name = "integrated_gradients",
     .title = "integrated gradients",
     .meaning = "What each value adds to the score on the straight way from a grey image to the image.",
     .source = "Sundararajan, Taly and Yan 2017",
     .complete = true,
     .options = kIntegratedGradientsOptions,
     .compute = integrated_gradients},
    {.name = "expected_gradients",
     .title = "expected gradients",
     .meaning = "What each value adds to the score on the straight ways from images of the data.",
     .source = "Erion et al. 2021",
     .complete = true,
     .needs = Needs::references,
     .options = kExpectedGradientsOptions,
     .compute = expected_gradients},
    {.name = "grad_cam",
     .title = "Grad-CAM",
     .meaning = "Where channels of a layer are active on which the score depends.",
     .source = "Selvaraju et al. 2017",
     .unit = Unit::pixel,
     .is_signed = false,
     .needs = Needs::layers,
     .options = kGradCamOptions,
     .compute = grad_cam},
    {.name = "guided_backprop",
     .title = "guided backprop",
     .meaning = "The gradient along paths on which every ReLU is active and passes a positive gradient.",
     .source = "Springenberg et al. 2015",
     .needs = Needs::layers,
     .compute = guided_backprop},
    {.name = "deconvnet",
     .title = "deconvnet",
     .meaning = "The gradient along paths on which every ReLU passes a positive gradient.",
     .source = "Zeiler and Fergus 2014",
     .needs = Needs::layers,
     .compute = deconvnet},
    {.name = "lrp_epsilon",
     .title = "LRP epsilon",
     .meaning = "The score, shared out from layer to layer by what each input adds.",
     .source = "Bach et al. 2015",
     .complete = true,
     .needs = Needs::layers,
     .options = kLrpOptions,
     .compute = lrp<kEpsilon>},
    {.name = "lrp_gamma",
     .title = "LRP gamma",
     .meaning = "As LRP epsilon, but positive weights count more in convolutions.",
     .source = "Montavon et al. 2019",
     .complete = true,
     .needs = Needs::layers,
     .options = kLrpOptions,
     .compute = lrp<kEpsilonGamma>},
    {.name = "lrp_gamma_box",
     .title = "LRP gamma box",
     .meaning = "As LRP gamma, but the first layer knows that images lie from 0 to 1.",
     .source = "Montavon et al. 2019",
     .complete = true,
     .needs = Needs::layers,
     .options = kLrpOptions,
     .compute = lrp<kEpsilonGammaBox>},
    {.name = "lrp_epsilon_plus",
     .title = "LRP epsilon plus",
     .meaning = "As LRP epsilon, but only positive terms count in convolutions.",
     .source = "Anders et al. 2021",
     .complete = true,
     .needs = Needs::layers,
     .options = kLrpOptions,
     .compute = lrp<kEpsilonPlus>},
    {.name = "lrp_epsilon_plus_flat",
     .title = "LRP epsilon plus flat",
     .meaning = "As LRP epsilon plus, but the first layer shares evenly among its inputs.",
     .source = "Anders et al. 2021",
     .complete = true,
     .needs = Needs::layers,
     .options = kLrpOptions,
     .compute = lrp<kEpsilonPlusFlat>},
    {.name = "lrp_alpha2_beta1",
     .title = "LRP alpha 2 beta 1",
     .meaning = "As LRP epsilon, but positive terms get twice, negative terms once less, in convolutions.",
     .source = "Bach et al. 2015",
     .complete = true,
     .needs = Needs::layers,
     .options = kLrpOptions,
     .compute = lrp<kEpsilonAlpha2Beta1>},
    {.name = "excitation_backprop",
     .title = "excitation backprop",
     .meaning =
         "The probability that a random walk along positive weights, from the class to the image, ends here.",
     .source = "Zhang et al. 2016",
     .is_signed = false,
     .complete = true,
     .needs = Needs::layers,
     .compute = excitation_backprop},
    {.name = "contrastive_excitation_backprop",
     .title = "contrastive excitation backprop",
     .meaning = "Excitation backprop of the class less that of its negated weights.",
     .source = "Zhang et al. 2016",
     .is_signed = false,
     .needs = Needs::layers,
     .compute = contrastive_excitation_backprop},
    {.name = "occlusion",
     .title = "occlusion",
     .meaning = "How far the score falls when a square covers the pixel.",
     .source = "Zeiler and Fergus 2014",
     .unit = Unit::pixel,
     .options = kOcclusionOptions,
     .compute = occlusion},
    {.name = "rise",
     .title = "RISE",
     .meaning = "The mean score under random masks that keep the pixel.",
     .source = "Petsiuk, Das and Saenko 2018",
     .unit = Unit::pixel,
     .options = kRiseOptions,
     .compute = rise},
    {.name = "shapley_sampling",
     .title = "Shapley values",
     .meaning = "What a region adds to the score when it appears, averaged over orders of appearance.",
     .source = "Castro, Gomez and Tejada 2009",
     .unit = Unit::pixel,
     .complete = true,
     .options = kShapleySamplingOptions,
     .compute = shapley_sampling},
};

}  // namespace

std::span<const Method> methods() { return kMethods; }

const Method& method(std::string_view name) {
  std::string wanted(name);
  std::replace(wanted.begin(), wanted.end(), '-', '_');
  std::vector<std::string_view> names;
  for (const Method& each : methods()) {
    if (each.name == wanted) return each;
    names.push_back(each.name);
  }
  const std::string nearest = did_you_mean(wanted, names);
  if (!nearest.empty()) fail_usage("there is no attribution method '{}'{}", name, nearest);
  fail_usage("there is no attribution method '{}'; the methods are {}", name, fmt::join(names, ", "));
}

}  // namespace whence::attribution
