#include "experiment/stages.h"
#include "whence/core/random.h"
#include "whence/explain/flow/linear_reference.h"

namespace whence::experiment {

StageResult reference_stage(Session& session) {
  Generator directions = make_generator(session.seed(), "reference/directions");
  const flow::LinearReference model = flow::fit_linear(session.data().train, session.latents(), directions);
  const flow::LinearFidelity fidelity = flow::fidelity(model, session.data().test);
  return {{{"gce", {{"linear", flow::to_json(fidelity)}}}},
          {},
          fmt::format("SSE + KL {:.2f} of the best linear image model", fidelity.bound())};
}

}  // namespace whence::experiment
