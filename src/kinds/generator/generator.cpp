#include "kinds/generator/generator.h"

#include "kinds/gce/gce.h"

namespace whence::kinds {
namespace {

using experiment::Metric;
using Json = nlohmann::json;

/// The object of the kind that trained the generator.
const Json& trained(const Json& metrics) {
  return metrics.at(metrics.contains("generator") ? "generator" : "gce");
}

/// SSE + KL of the network on test images, or of the best linear model.
double sse_and_kl(const Json& metrics, const char* model) {
  const Json& parts = trained(metrics).at(model);
  return parts.at("sse").get<double>() + parts.at("kl").get<double>();
}

std::optional<double> of_test(const Json& metrics, const char* name) {
  return trained(metrics).at("test").at(name).get<double>();
}

}  // namespace

bool trains_alone(const config::Values& values) {
  return values.get<experiment::GeneratorOptions>().latents > 0 &&
         !experiment::is_text(values.get<experiment::DataOptions>());
}

bool trains_autoencoder(const config::Values& values) {
  return trains_alone(values) && values.get<GeneratorTraining>().objective == GeneratorObjective::vae &&
         values.get<experiment::GeneratorOptions>().file.empty();
}

bool trains_inverse(const config::Values& values) {
  return trains_alone(values) && !trains_autoencoder(values) &&
         values.get<GeneratorTraining>().inverse.steps > 0;
}

bool has_encoder(const config::Values& values) {
  return explains(values) || trains_autoencoder(values) || trains_inverse(values);
}

bool keeps_answers(const config::Values& values) {
  return trains_autoencoder(values) && values.get<GeneratorTraining>().feature_weight > 0;
}

std::vector<Metric> generator_metrics() {
  using enum experiment::Better;
  return {
      {"sse", "SSE", "", 2, lower,
       "Squared error of a reconstruction, summed over pixels, averaged over images.", "",
       [](const Json& m) { return of_test(m, "sse"); }},
      {"kl", "KL", "nats", 2, lower, "Divergence of the codes of test images from N(0, I).", "",
       [](const Json& m) { return of_test(m, "kl"); }},
      {"bound", "SSE + KL", "", 2, lower, "SSE + KL, the loss of the image model.", "",
       [](const Json& m) -> std::optional<double> { return sse_and_kl(m, "test"); }},
      {"linear_bound", "SSE + KL of the best linear model", "", 2, neither,
       "SSE + KL of probabilistic principal components with as many latents.", "",
       [](const Json& m) -> std::optional<double> { return sse_and_kl(m, "linear"); }},
      {"reencoded", "accuracy, re-encoded", "%", 1, higher,
       "Accuracy on test images that were encoded and decoded.", "",
       [](const Json& m) -> std::optional<double> {
         return trained(m).at("ablation").at("reencoded").get<double>();
       }},
      {"answers_kept", "answers kept", "%", 1, higher,
       "Test images whose reconstruction the explained classifier gives the same class.",
       "generator.answers.reconstructions.explained"},
      {"answers_kept_independent", "answers kept, independent classifier", "%", 1, higher,
       "The same of the independent classifier and its own answers.",
       "generator.answers.reconstructions.independent"},
      {"sse_of_means", "SSE of means", "", 2, lower,
       "Squared error of the image decoded from the mean of an image's code, summed over pixels.",
       "generator.answers.reconstructions.sse"},
      {"frechet", "Frechet distance of samples", "", 2, lower,
       "The squared Frechet distance of a generator's samples to test images in the classifier's features.",
       "generator.samples.frechet.value"},
      {"precision", "precision of samples", "", 2, higher,
       "Share of the samples near test images (Kynkaanniemi et al. 2019).",
       "generator.samples.precision.value"},
      {"recall", "recall of samples", "", 2, higher,
       "Share of the test images near samples (Kynkaanniemi et al. 2019).", "generator.samples.recall.value"},
      {"generator_seconds", "training of the generator", "min", 1, lower,
       "The training of a generator alone.", "generator.train_seconds"},
      {"encoder_seconds", "training of the encoder", "min", 1, lower,
       "The training of an encoder for a generator that has none.", "generator.encoder.train_seconds"}};
}

experiment::Kind generator_kind() {
  experiment::Kind kind{"generator",
                        "A generator of images that is trained alone: a variational autoencoder or a GAN.",
                        {generator_section()},
                        trains_alone,
                        check_generator};
  kind.stages = {generator_stage(), encoder_stage()};
  for (experiment::Stage& stage : generator_measuring_stages()) kind.stages.push_back(std::move(stage));
  kind.metrics = generator_metrics();
  kind.figures = draw_generator;
  kind.report = report_generator;
  kind.report_seeds = report_generator_seeds;
  return kind;
}

}  // namespace whence::kinds
