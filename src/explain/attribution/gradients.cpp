#include "whence/explain/attribution/gradients.h"

#include "explain/attribution/passes.h"

namespace whence::attribution {

Attribution gradient(const Request& request, const Options& options) {
  const ScoreGradient at_x = score_gradient(request.classifier, request.x, request.target, options);
  return {at_x.gradient, at_x.scores, {}, {}};
}

Attribution gradient_magnitude(const Request& request, const Options& options) {
  const ScoreGradient at_x = score_gradient(request.classifier, request.x, request.target, options);
  return {at_x.gradient.abs().amax(1, true), at_x.scores, {}, {}};
}

Attribution input_times_gradient(const Request& request, const Options& options) {
  const ScoreGradient at_x = score_gradient(request.classifier, request.x, request.target, options);
  return {request.x * at_x.gradient, at_x.scores, {}, {}};
}

}  // namespace whence::attribution
