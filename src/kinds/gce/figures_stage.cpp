#include "experiment/curves.h"
#include "experiment/figures.h"
#include "experiment/pipeline.h"
#include "experiment/stages.h"
#include "whence/core/files.h"
#include "whence/core/random.h"

namespace whence::experiment {
namespace {

/// Draws what the figures stage draws and keeps account of it.
class Drawing {
 public:
  explicit Drawing(Session& session)
      : session_(session),
        precision_(session.judging_precision()),
        classifier_(session.classifier(precision_)),
        encoder_(session.encoder(precision_)),
        decoder_(session.decoder(precision_)),
        factors_(session.factor_names()),
        names_(session.data().test.class_names) {}

  StageResult draw() {
    const FigureOptions& options = session_.recipe().figures;
    if (!session_.explains()) return draw_autoencoder();
    const nlohmann::json gce = collect_metrics(session_.folder()).at("gce");
    const std::vector<std::string> shown = shown_factors(gce.at("information_flow"), options.others);
    const Samples rows = samples(options.sweep_rows, "figures/sweeps");
    for (std::size_t i = 0; i < factors_.size(); ++i) {
      if (std::find(shown.begin(), shown.end(), factors_[i]) == shown.end()) continue;
      sweep("sweep", rows, i, options.sweep_steps, "One factor moved, the others kept: ");
    }
    const Samples strip_rows = samples(options.strip_rows, "figures/strips");
    for (std::size_t i = 0; i < static_cast<std::size_t>(session_.recipe().explanation.causal); ++i) {
      sweep("strip", strip_rows, i, options.strip_steps, "The transition in small steps: ");
    }
    reconstructions();
    if (session_.recipe().counterfactual.images > 0) counterfactuals();
    draw_flow(gce.at("information_flow"), shown, names_.size(), stem("information-flow"));
    draw_ablation(gce.at("ablation"), shown, session_.recipe().explanation.causal, stem("ablation"));
    return training();
  }

 private:
  static constexpr std::int64_t kReconstructions = 12;

  StageResult draw_autoencoder() {
    reconstructions();
    return training();
  }

  void reconstructions() {
    draw_reconstructions(*encoder_, *decoder_, *classifier_,
                         samples(kReconstructions, "figures/reconstructions"), names_,
                         stem("reconstructions"));
  }

  StageResult training() {
    const auto chart = training_chart({{"", training_curve(session_.folder().path())}});
    if (!chart)
      return {{}, products_, fmt::format("{} files; no log to draw the training from", products_.size())};
    report::draw(*chart, stem("training"));
    return {{}, products_, fmt::format("{} files", products_.size())};
  }

  Samples samples(std::int64_t count, std::string_view stream) {
    Generator generator = make_generator(session_.seed(), stream);
    return spread_samples(session_.data().test, count, generator);
  }

  /// The path of a figure, which it counts among the products.
  std::filesystem::path stem(const std::string& name) {
    session_.progress({"figures", static_cast<std::int64_t>(products_.size() / 2), 0, {}});
    products_.push_back("figures/" + name + ".png");
    products_.push_back("figures/" + name + ".svg");
    return session_.folder() / ("figures/" + name);
  }

  void sweep(const std::string& kind, const Samples& rows, std::size_t factor, std::int64_t steps,
             const std::string& title) {
    const FigureOptions& options = session_.recipe().figures;
    const at::NoGradGuard no_grad;
    const flow::Sweep result = flow::sweep(
        *decoder_, *classifier_, encoder_->encode(rows.images).mean, static_cast<std::int64_t>(factor),
        flow::even_steps(-options.sweep_range, options.sweep_range, steps));
    draw_sweep(result,
               {.title = title + factors_[factor],
                .axis = "added to " + factors_[factor] + " (0: the reconstruction)",
                .class_names = names_,
                .row_labels = rows.labels,
                .probabilities = options.probabilities},
               stem(kind + "-" + factors_[factor]));
  }

  void counterfactuals() {
    const Recipe& recipe = session_.recipe();
    const Samples shown = samples(recipe.figures.counterfactuals, "figures/counterfactuals");
    const counterfactual::Counterfactuals found =
        counterfactual::explain_counterfactually(*encoder_, *decoder_, *classifier_, shown.images,
                                                 recipe.explanation.causal, recipe.counterfactual.search);
    draw_counterfactuals(found, shown.images, *decoder_, *classifier_, names_, stem("counterfactuals"));
  }

  Session& session_;
  Precision precision_;
  std::unique_ptr<models::Classifier> classifier_;
  std::unique_ptr<models::Encoder> encoder_;
  std::unique_ptr<models::Decoder> decoder_;
  std::vector<std::string> factors_, names_, products_;
};

}  // namespace

StageResult figures_stage(Session& session) { return Drawing(session).draw(); }

}  // namespace whence::experiment
