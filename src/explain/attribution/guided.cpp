#include "whence/explain/attribution/guided.h"

#include "explain/attribution/walk.h"

namespace whence::attribution {
namespace {

/// A walk that keeps no sum.
Attribution gradient_by(std::string_view rule, const Request& request, const Options& options) {
  Attribution found =
      walk_to_image(*request.classifier.network(), request, nn::rule(rule), start_with_gradient, options);
  found.completeness_error = at::Tensor();
  return found;
}

}  // namespace

Attribution guided_backprop(const Request& request, const Options& options) {
  return gradient_by("guided", request, options);
}

Attribution deconvnet(const Request& request, const Options& options) {
  return gradient_by("deconvnet", request, options);
}

}  // namespace whence::attribution
