#include "kinds/generator/image_model.h"

#include "report/figures.h"
#include "whence/core/random.h"
#include "whence/explain/flow/linear_reference.h"
#include "whence/interchange/safetensors.h"

namespace whence::kinds {

nlohmann::json to_json(const flow::Fidelity& fidelity) {
  return {{"sse", fidelity.sse}, {"kl", fidelity.kl}, {"se", fidelity.se}};
}

void save_bounds(const Session& session, const char* file, const flow::Fidelity& fidelity) {
  nn::save_safetensors(session.folder() / file, {{"bound", fidelity.of_images}}, {});
}

experiment::StageResult linear_reference(Session& session) {
  Generator directions = make_generator(session.seed(), "reference/directions");
  const flow::LinearReference model = flow::fit_linear(session.data().train, session.latents(), directions);
  const flow::LinearFidelity fidelity = flow::fidelity(model, session.data().test);
  return {{{"linear", flow::to_json(fidelity)}},
          {},
          fmt::format("SSE + KL {:.2f} of the best linear image model", fidelity.bound())};
}

void draw_reconstructions(const models::Encoder& encoder, const models::Decoder& decoder,
                          const models::Classifier& classifier, const experiment::Samples& samples,
                          const std::vector<std::string>& class_names, const std::filesystem::path& stem) {
  const at::NoGradGuard no_grad;
  const at::Tensor decoded = decoder.decode(encoder.encode(samples.images).mean);
  report::ImageGrid grid;
  grid.title = "Test images and their reconstructions";
  grid.images = report::rows({samples.images, decoded});
  grid.classes =
      report::rows({classifier.logits(samples.images).argmax(1), classifier.logits(decoded).argmax(1)});
  grid.class_names = class_names;
  grid.legend_name = kBorders;
  grid.row_labels = {"original", "reconstruction"};
  for (std::size_t i = 0; i < samples.labels.size(); ++i) {  // each class over its first image
    const bool first = i == 0 || samples.labels[i] != samples.labels[i - 1];
    grid.column_labels.push_back(first ? samples.labels[i] : "");
  }
  report::draw(grid, stem);
}

std::vector<std::string> image_model_paragraphs(const nlohmann::json& metrics) {
  const auto part = [&metrics](const char* of, const char* name) {
    return metrics.at(of).at(name).get<double>();
  };
  const double sse = part("test", "sse"), kl = part("test", "kl");
  std::vector<std::string> paragraphs = {fmt::format(
      "On test images: SSE {:.2f} (squared error summed over pixels) and KL {:.2f} nats, together "
      "**{:.2f}**.",
      sse, kl, sse + kl)};
  if (metrics.contains("linear") &&
      !metrics.contains("answers")) {  // else SSE + KL is not what was minimised
    const bool explained = metrics.contains("information_flow");
    const double linear = part("linear", "sse") + part("linear", "kl");
    paragraphs.push_back(fmt::format(
        "The best linear image model with as many latents (principal components; {} are worth their code) "
        "has SSE {:.2f} and KL {:.2f} nats, together {:.2f}. {}",
        metrics.at("linear").at("used").get<std::int64_t>(), part("linear", "sse"), part("linear", "kl"),
        linear,
        sse + kl < linear ? "The network's images are better than that."
        : metrics.contains("encoder")
            ? "The generator was not trained to reconstruct; where codes must be nearer, set "
              "morphing.refinement."
            : fmt::format("The network is worse: more steps{} should help. Where it is deep, try "
                          "generator.initialisation = \"he\" with {}.beta1 = 0.9.",
                          explained ? " or a larger lambda" : "", explained ? "explanation" : "generator")));
  }
  return paragraphs;
}

}  // namespace whence::kinds
