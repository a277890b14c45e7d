// Stages that measure a generator that was trained alone: "quality", the linear model beside it, and "generator-validation".
#include <numeric>

#include "experiment/stages.h"
#include "explain/flow/classify.h"
#include "kinds/generator/generator.h"
#include "kinds/generator/image_model.h"
#include "kinds/independent/independent.h"
#include "whence/core/random.h"
#include "whence/explain/flow/linear_reference.h"
#include "whence/interchange/safetensors.h"
#include "whence/models/evaluation/features.h"
#include "whence/models/evaluation/sample_quality.h"
#include "whence/models/train/classifier.h"
#include "whence/platform/device.h"

namespace whence::kinds {
namespace {

using experiment::StageResult;

/// The classifier behind the autoencoder: what it says about an image that was encoded and decoded.
class ReencodingClassifier final : public models::Classifier {
 public:
  ReencodingClassifier(const models::Classifier& classifier, const models::Encoder& encoder,
                       const models::Decoder& decoder)
      : classifier_(classifier), encoder_(encoder), decoder_(decoder) {}
  at::Tensor logits(const at::Tensor& x) const override {
    return classifier_.logits(decoder_.decode(encoder_.encode(x).mean));
  }
  std::int64_t classes() const override { return classifier_.classes(); }

 private:
  const models::Classifier& classifier_;
  const models::Encoder& encoder_;
  const models::Decoder& decoder_;
};

/// What keeps an autoencoder's samples from real images: its decoder, if reconstructions of training images are as far away, or its prior, if draws
/// from a normal distribution with the codes' own mean and covariance are nearer.
void add_autoencoder_rows(Session& session, const models::Features& features, const models::Decoder& decoder,
                          const at::Tensor& real, const data::Dataset& known, nlohmann::json& record) {
  const at::NoGradGuard no_grad;
  const auto encoder = session.encoder(session.judging_precision());
  Generator draws = make_generator(session.seed(), "generator/codes");
  std::vector<at::Tensor> means, codes;
  flow::for_batches(known.size(), flow::kBatch, [&](std::int64_t first, std::int64_t count) {
    const models::Posterior posterior =
        encoder->encode(data::to_float(known, first, count).to(encoder->device()));
    const at::Tensor mean = posterior.mean.to(at::kCPU);
    const at::Tensor noise = at::randn(mean.sizes(), draws, draws_of(draws));
    means.push_back(mean);
    codes.push_back(mean + (0.5 * posterior.log_variance.to(at::kCPU)).exp() * noise);
  });
  const at::Tensor all = at::cat(codes), centre = all.mean(0, true);
  const at::Tensor spread = (all - centre).to(at::kDouble);
  const auto [values, vectors] = at::linalg_eigh(
      spread.t().mm(spread) / static_cast<double>(std::max<std::int64_t>(1, all.size(0) - 1)));
  const at::Tensor root = (vectors * values.clamp_min(0).sqrt()).to(at::kFloat);
  const at::Tensor fitted = centre + at::randn(all.sizes(), draws, draws_of(draws)).mm(root.t());
  record["reconstructions"] =
      models::to_json(models::sample_quality(real, features.of_decoded(decoder, at::cat(means))));
  record["fitted_prior"] =
      models::to_json(models::sample_quality(real, features.of_decoded(decoder, fitted)));
}

nlohmann::json samples_json(Session& session, const models::Classifier& classifier,
                            const models::Decoder& decoder, std::string& summary) {
  if (classifier.network() == nullptr) return {{"left_out", "the layers of the classifier are unknown"}};
  const GeneratorTraining& recipe = session.get<GeneratorTraining>();
  const models::Features features(classifier, recipe.features);
  const data::Dataset& test = session.data().test;
  Generator rows = make_generator(session.seed(), "generator/compared");
  const at::Tensor real =
      features.of(data::pick(test, data::sample_rows(test, recipe.compared_images, rows)));
  const data::Dataset& train = session.data().train;
  const data::Dataset others = data::pick(train, data::sample_rows(train, real.size(0), rows));
  Generator draws = make_generator(session.seed(), "generator/samples");
  const models::SampleQuality quality =
      models::sample_quality(real, features.of_samples(decoder, real.size(0), draws));
  nlohmann::json record = models::to_json(quality);
  record["training_images"] = models::to_json(models::sample_quality(real, features.of(others)));
  if (has_encoder(session.recipe().values))
    add_autoencoder_rows(session, features, decoder, real, others, record);
  record["layer"] = features.layer();
  record["features"] = features.size();
  summary = fmt::format("Frechet distance {:.2f}, precision {:.2f}, recall {:.2f}", quality.frechet.value,
                        quality.precision.value, quality.recall.value);
  return record;
}

StageResult measure(Session& session) {
  const auto classifier = session.classifier(session.judging_precision());
  const auto decoder = session.decoder(session.judging_precision());
  StageResult result;
  result.metrics["samples"] = samples_json(session, *classifier, *decoder, result.summary);
  if (!has_encoder(session.recipe().values)) return result;
  const auto encoder = session.encoder(session.judging_precision());
  const data::Dataset& test = session.data().test;
  Generator codes = make_generator(session.seed(), "evaluation/fidelity");
  const flow::Fidelity fidelity = flow::fidelity(*encoder, *decoder, test, codes);
  save_bounds(session, kTestBounds, fidelity);
  const ReencodingClassifier reencoding(*classifier, *encoder, *decoder);
  const double original = models::accuracy(*classifier, test), kept = models::accuracy(reencoding, test);
  result.metrics["test"] = to_json(fidelity);
  if (keeps_answers(session.recipe().values)) {
    const auto independent = independent_classifier(session);
    result.metrics["answers"] = kept_answers(session, *classifier, independent.get(), *encoder, *decoder);
  }
  result.metrics["ablation"] = {{"original", original}, {"reencoded", kept}, {"samples", test.size()}};
  result.products = {kTestBounds};
  result.summary = fmt::format("SSE {:.2f}, KL {:.2f}, accuracy {:.2f} %, re-encoded {:.2f} %; {}",
                               fidelity.sse, fidelity.kl, 100 * original, 100 * kept, result.summary);
  return result;
}

StageResult refer(Session& session) {
  if (!has_encoder(session.recipe().values)) return {{}, {}, "no autoencoder to compare"};
  return linear_reference(session);
}

nlohmann::json validation_content(Session& session) {
  nlohmann::json content = experiment::judging_content(session);
  content["images"] = experiment::content_of(session.validation_images());
  return content;
}

StageResult validate(Session& session) {
  const auto encoder = session.encoder(session.judging_precision());
  const auto decoder = session.decoder(session.judging_precision());
  Generator codes = make_generator(session.seed(), "validation/fidelity");
  const flow::Fidelity fidelity = flow::fidelity(*encoder, *decoder, session.validation_images(), codes);
  save_bounds(session, kValidationBounds, fidelity);
  return {{{"validation", to_json(fidelity)}},
          {kValidationBounds},
          fmt::format("SSE + KL {:.2f}", fidelity.bound())};
}

}  // namespace

std::vector<experiment::Stage> generator_measuring_stages() {
  const std::vector<std::string_view> keys = {"evaluation", "generator", "run.seed"},
                                      models = {"data", "classifier", "generator", "encoder"};
  experiment::Stage validation{kGeneratorValidation, keys, models, validate, validation_content};
  validation.on_demand = true;
  return {validation,
          {"quality",
           keys,
           {"data", "classifier", "generator", "encoder", kIndependentStage},
           measure,
           experiment::judging_content},
          {"generator-reference",
           {"generator.latents", "generator.objective", "generator.encoder_steps", "run.seed"},
           {"data"},
           refer}};
}

}  // namespace whence::kinds
