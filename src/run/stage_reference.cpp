#include "stages.h"
#include "whence/core/random.h"
#include "whence/explain/gce/linear_reference.h"

namespace whence::run {

StageResult reference_stage(Session& session) {
  Generator directions = make_generator(session.seed(), "reference/directions");
  const gce::LinearReference model = gce::fit_linear(session.data().train, session.latents(), directions);
  const gce::LinearFidelity fidelity = gce::fidelity(model, session.data().test);
  return {{{"gce", {{"linear", gce::to_json(fidelity)}}}},
          {},
          fmt::format("SSE + KL {:.2f} of the best linear image model", fidelity.bound())};
}

}  // namespace whence::run
