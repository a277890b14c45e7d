// The choice of the number of causal factors K, of other factors L, and of lambda: which setting to train next, or
// which one to take, given what was measured so far. Nothing is trained here, so that every rule can be tried on a
// table of numbers.
//
// "Algorithm 1" of O'Shaughnessy et al. (2020), with D = SSE + KL (smaller is better):
//   1. without the causal term, raise K + L until D is on a plateau;
//   2. with K = 1, 2, ... and L = K + L of step 1 - K, raise lambda until D approaches its value of step 1,
//   3. until C is on a plateau; the values from just before it are taken.
// A value is on its plateau when the next setting improves it by no more than max(plateau |value|, errors se), where se
// is the standard error of the difference (for D, image by image). D has approached D1 of step 1 when D - D1 <=
// distance D1 + errors se; a smaller D than D1 has. The rules differ in these numbers and in how they walk through lambda:
//
//   relative   plateau 1 %, errors 0, distance 5 %; lambda = s, 2 s, 3 s, ... (anonymous 2021b section 3.3; s = 0.01).
//   reversal   plateau 0 (the next setting reverses the trend), errors 0, distance 5 %; lambda = 0.001, times 10^0.5 each
//           time; a lambda is also taken when the next one comes no closer (Verhoeven et al. 2021 section 5).
//   standard_error   our own: plateau 1 %, errors 1.96, distance 6 % (the original authors' lambda of
//           Fashion-MNIST 0/3/4 is 5.5 % away by anonymous 2021b's table 1). Step 1 looks two settings ahead (patience 2), for
//           one unlucky training is no plateau. lambda begins at 0.05, or where the K before ended, and is multiplied by
//           10^0.5 until D has approached D1; where it has at once, lambda is divided instead for as long as D stays
//           there and C gains (or has less than `least_effect`). So images are kept as well as a larger C allows. Before
//           a setting is trained in full a pilot of it is (a share of the steps): it is hopeless, and counts as too far,
//           when the pilot's D - D1 > hopeless distance D1 + errors se.
//
// Both texts read D and C off training batches; here every value is of images that no training saw.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace whence::gce {

enum class SelectionRule { relative, reversal, standard_error };

/// A setting to train: K = 0 is the autoencoder alone (step 1).
struct Setting {
  std::int64_t causal = 0, noncausal = 0;  ///< K, L
  double lambda = 0;                       ///< 0 where K = 0
  bool pilot = false;                      ///< trained for a share of the steps only
  bool reference = false;                  ///< K = 0: the autoencoder after as many more steps as step 2 has

  std::int64_t latents() const { return causal + noncausal; }
  bool operator==(const Setting&) const = default;
};

/// What came out, on images that were not trained on.
struct Trial {
  Setting setting;
  double effect = 0, effect_se = 0;  ///< C in nats; 0 where K = 0
  double sse = 0, kl = 0;
  double bound_se = 0;  ///< of sse + kl
  /// SSE + KL of each image. Two trials that have them are compared image by image, which tells much smaller
  /// differences apart: what makes an image hard is common to both.
  std::vector<float> of_images = {};

  double bound() const { return sse + kl; }  ///< D
};

/// The standard error of the difference of two trials' D: image by image where both know their images' values.
double bound_change_se(const Trial& a, const Trial& b);

struct SelectionOptions {
  SelectionRule rule = SelectionRule::standard_error;
  std::vector<std::int64_t> latents;  ///< the K + L of step 1, rising
  double plateau = 0.01;              ///< share of a value
  double errors = 1.96;               ///< standard errors
  double distance = 0.05;             ///< share of D1
  double first_lambda = 0.05;
  double lambda_step = 0.01;                     ///< of relative, which begins with it
  double lambda_factor = 3.1622777;              ///< of the others
  double least_lambda = 1e-4, most_lambda = 10;  ///< none is tried beyond them; relative: 1
  double least_effect = 0.05;                    ///< nats; a C below it is no plateau to stop at
  double hopeless = 4;                           ///< of a pilot, in distances
  std::int64_t patience =
      1;  ///< numbers of latents in a row without an improvement that make a plateau of step 1
  /// Where step 2 starts from the autoencoder of step 1: D1 is of that autoencoder trained on, lest the steps it has
  /// had less hide what the causal term costs.
  bool reference = false;
};
/// As listed above; K + L of 1, 2, ... 32 for the published rules and of 2, 3, ... 10, 12, 14, 16, 20, ... 32 for ours.
SelectionOptions selection_options(SelectionRule rule);
/// Errors (usage): `latents` empty or not rising from 1, a share or lambda out of range.
void check(const SelectionOptions& options);

/// Exactly one of `next` and `chosen`, or neither: no lambda brought D near D1.
struct Decision {
  std::optional<Setting> next;    ///< to be measured before anything can be said
  std::optional<Setting> chosen;  ///< always a setting that was measured in full
  std::optional<double> limit;  ///< D1 + distance D1, which D of step 2 is held to; none while D1 is missing
  std::vector<std::string> reasons;  ///< what was decided so far, a sentence each
};

/// A pure function of the trials, whose order does not matter. K stays below K + L where that is above 1.
Decision decide(const std::vector<Trial>& trials, const SelectionOptions& options);

/// The best setting when the time is over: of the fully measured settings whose D has approached D1 the one with the
/// largest C or, where others are within `errors` of it, with the smallest K and then the largest lambda of those.
/// Nothing is chosen where no such setting exists.
Decision settle(const std::vector<Trial>& trials, const SelectionOptions& options);

/// "K = 2, L = 4, lambda = 0.05", "8 latents, no causal term"; pilots say so.
std::string describe(const Setting& setting);
/// "relative", "reversal", "standard-error"
std::string_view name_of(SelectionRule rule);

}  // namespace whence::gce
