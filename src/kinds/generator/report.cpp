// The figures and the section of a generator that was trained alone.
#include "experiment/log.h"
#include "experiment/metrics.h"
#include "experiment/seeds.h"
#include "kinds/gce/gce.h"
#include "kinds/generator/generator.h"
#include "kinds/generator/image_model.h"
#include "kinds/generator/live.h"
#include "report/figures.h"
#include "whence/core/random.h"
#include "whence/explain/flow/information_flow.h"
#include "whence/platform/device.h"

namespace whence::kinds {
namespace {

using experiment::kInterval;
using experiment::Run;

constexpr std::int64_t kSampleRows = 4, kSampleColumns = 12;

void draw_samples(Session& session, const std::filesystem::path& stem) {
  const at::NoGradGuard no_grad;
  const auto classifier = session.classifier(session.judging_precision());
  const auto decoder = session.decoder(session.judging_precision());
  Generator draws = make_generator(session.seed(), "figures/generator");
  const at::Tensor images =
      decoder->decode(at::randn({kSampleRows * kSampleColumns, decoder->latents()}, draws, draws_of(draws)));
  report::ImageGrid grid;
  grid.title = "Samples of the generator";
  grid.images = images.unflatten(0, {kSampleRows, kSampleColumns});
  grid.classes = classifier->logits(images).argmax(1).view({kSampleRows, kSampleColumns});
  grid.class_names = session.task().class_names;
  grid.legend_name = kBorders;
  report::draw(grid, stem);
}

/// A panel for each group of readings that the log has.
std::optional<report::LineChart> loss_chart(const experiment::Curve& curve, const char* of) {
  if (curve.steps.size() < 2) return std::nullopt;
  const std::vector<std::pair<std::string, std::vector<std::string>>> groups = {
      {"SSE", {"SSE"}},
      {"KL (nats)", {"KL"}},
      {"features", {"features"}},
      {"codes of samples (nats)", {"sleep"}},
      {"loss", {"discriminator", "generator"}},
      {"looks real to the discriminator", {"real", "fake"}},
      {"Frechet distance", {"distance"}}};
  report::LineChart chart;
  chart.title = fmt::format("Training of the {}", of);
  chart.horizontal_axis = "step";
  for (const auto& [axis, readings] : groups) {
    report::Panel panel{axis, {}, false};
    for (const std::string& reading : readings)
      if (const auto found = curve.values.find(reading); found != curve.values.end())
        panel.series.push_back({readings.size() > 1 ? reading : "", curve.steps, found->second});
    if (!panel.series.empty()) chart.panels.push_back(std::move(panel));
  }
  return chart;
}

/// How far the reconstructions say the same to classifiers, and how far the prior can be trusted.
void add_answers(const nlohmann::json& generator, report::Section& section) {
  const nlohmann::json& answers = generator.at("answers");
  report::Table table{
      {"test images", "keep the explained classifier's answer", "keep an independent one's", "SSE"},
      {},
      "Each classifier is compared with its own answer to the unchanged image."};
  for (const auto& [name, title] :
       {std::pair{"reconstructions", "encoded and decoded"}, std::pair{"shift", "moved by one pixel"},
        std::pair{"components", "as many principal components as latents"}}) {
    const nlohmann::json& row = answers.at(name);
    const auto percent = [&](const char* of) {
      return row.contains(of) ? fmt::format("{:.1f} %", 100 * row.at(of).get<double>()) : "";
    };
    table.rows.push_back({title, percent("explained"), percent("independent"),
                          fmt::format("{:.2f}", row.at("sse").get<double>())});
  }
  section.tables.push_back(std::move(table));
  section.paragraphs.push_back(
      fmt::format("The autoencoder was trained so that reconstructions keep the classifier's features, with "
                  "a small weight of "
                  "the KL. The price is a weak prior: a code costs {:.0f} nats, and images from draws of "
                  "N(0, I) (above) show "
                  "no objects. Use it where codes come from images.",
                  generator.at("test").at("kl").get<double>()));
}

double number(const nlohmann::json& samples, const char* name, const char* part) {
  return samples.at(name).at(part).get<double>();
}

std::string samples_sentence(const nlohmann::json& samples, bool inverse) {
  if (samples.contains("left_out"))
    return fmt::format("Samples were not compared with images: {}.",
                       samples.at("left_out").get<std::string>());
  const auto interval = [&](const char* name, int digits) {
    return fmt::format("{:.{}f} ± {:.{}f}", number(samples, name, "value"), digits,
                       kInterval * number(samples, name, "se"), digits);
  };
  std::string text = fmt::format(
      "{0} samples beside {0} test images, in the {1} features of the classifier's layer {2}: the Frechet "
      "distance "
      "(squared, as FID is) is **{3}**; precision, the share of samples near an image, is {4}; recall, the "
      "share of images "
      "near a sample, is {5}. Distances depend on the classifier and on the number of images.",
      samples.at("images").get<std::int64_t>(), samples.at("features").get<std::int64_t>(),
      samples.at("layer").get<std::string>(), interval("frechet", 2), interval("precision", 2),
      interval("recall", 2));
  if (samples.contains("training_images")) {
    const nlohmann::json& real = samples.at("training_images");
    text += fmt::format(
        " Training images, in place of samples, have a distance of {:.2f}, a precision of {:.2f} and a "
        "recall "
        "of {:.2f}.",
        number(real, "frechet", "value"), number(real, "precision", "value"),
        number(real, "recall", "value"));
  }
  if (samples.contains("reconstructions"))
    text += fmt::format(
        " Reconstructions of training images have a distance of {:.2f}{}. With draws from a normal "
        "distribution that has the codes' own mean and covariance, in place of N(0, I), the distance is "
        "{:.2f}.",
        number(samples.at("reconstructions"), "frechet", "value"),
        inverse ? "" : ": so much is the decoder's blur",
        number(samples.at("fitted_prior"), "frechet", "value"));
  return text;
}

std::string time_in_words(double seconds) {
  return seconds < 120 ? fmt::format("{:.0f} seconds", seconds) : fmt::format("{:.1f} minutes", seconds / 60);
}

std::string training_sentence(const nlohmann::json& generator) {
  if (generator.contains("file"))
    return fmt::format("It is the file {}, which stays as it is.", generator.at("file").get<std::string>());
  std::string text =
      fmt::format("The training took {} steps and {}.", generator.at("steps").get<std::int64_t>(),
                  time_in_words(generator.at("train_seconds").get<double>()));
  if (generator.contains("chosen_step"))
    text += fmt::format(" The generator after step {} is kept: its samples are nearest to validation images.",
                        generator.at("chosen_step").get<std::int64_t>());
  return text;
}

std::string encoder_sentence(const nlohmann::json& encoder, const models::InverseTraining& options) {
  const std::string sleep =
      options.sleep_weight > 0
          ? fmt::format(", and {} x the cost of the codes of the generator's own samples (the sleep phase)",
                        options.sleep_weight)
          : "";
  return fmt::format(
      "The encoder was trained afterwards, for the generator as it stands, in {} steps and {}. Its loss is "
      "SSE "
      "and {} x KL of images{}. A generator makes only images of its own, and the encoder looks for the "
      "nearest of these.",
      encoder.at("steps").get<std::int64_t>(), time_in_words(encoder.at("train_seconds").get<double>()),
      options.kl_weight, sleep);
}

std::vector<std::string> latent_names(std::int64_t latents) {
  std::vector<std::string> names;
  for (std::int64_t i = 1; i <= latents; ++i) names.push_back(fmt::format("latent_{}", i));
  return names;
}

/// Whether the recipe asks for nothing else.
bool stands_alone(const Run& run) {
  const experiment::Recipe& recipe = run.session.recipe();
  return std::none_of(recipe.kinds->begin(), recipe.kinds->end(), [&](const experiment::Kind& kind) {
    return kind.name != "generator" && kind.report != nullptr && kind.asked(recipe.values);
  });
}

std::vector<report::Headline> headlines_of(const nlohmann::json& generator) {
  std::vector<report::Headline> lines;
  if (const nlohmann::json& samples = generator.at("samples"); !samples.contains("left_out")) {
    lines.push_back({fmt::format("{:.2f}", number(samples, "frechet", "value")),
                     "Frechet distance of samples",
                     fmt::format("± {:.2f}", kInterval * number(samples, "frechet", "se"))});
    lines.push_back({fmt::format("{:.2f}", number(samples, "precision", "value")), "precision of samples",
                     fmt::format("recall {:.2f}", number(samples, "recall", "value"))});
  }
  if (generator.contains("test")) {
    const double original = generator.at("ablation").at("original").get<double>();
    lines.push_back({fmt::format("{:.1f} %", 100 * generator.at("ablation").at("reencoded").get<double>()),
                     "accuracy on re-encoded test images",
                     fmt::format("{:.1f} % on the originals", 100 * original)});
    lines.push_back({fmt::format("{:.1f}", generator.at("test").at("sse").get<double>()),
                     "squared error of a reconstruction", "summed over pixels (SSE)"});
    lines.push_back({fmt::format("{:.1f} nats", generator.at("test").at("kl").get<double>()),
                     "cost of a code", "KL against N(0, I)"});
  }
  return lines;
}

}  // namespace

void draw_generator(Run& run, experiment::Figures& figures) {
  Session& session = run.session;
  draw_samples(session, figures.stem("samples"));
  if (has_encoder(session.recipe().values)) {
    const experiment::Models models = session.judged();
    draw_reconstructions(*models.encoder, *models.decoder, *models.classifier,
                         figures.samples(kSampleColumns, "figures/reconstructions"),
                         session.task().class_names, figures.stem("reconstructions"));
  }
  if (!explains(session.recipe().values))
    figures.keep(write_live(session, figures, latent_names(session.latents()), 0));
  std::vector<const char*> trainings = {"generator"};
  if (trains_inverse(session.recipe().values)) trainings.push_back("encoder");
  for (const char* stage : trainings)
    if (const auto chart = loss_chart(experiment::read_curve(session.folder() / "log.jsonl", stage), stage))
      report::draw(*chart, figures.stem(fmt::format("{}-training", stage)));
}

void report_generator(const Run& run, report::Page& page) {
  const nlohmann::json& generator = run.metrics.at("generator");
  const bool inverse = trains_inverse(run.session.recipe().values);
  const report::FigureRef samples =
      run.figure("samples", "Samples from draws of N(0, I). The border is the classifier's answer.");
  report::Section section{
      "generator", "The generator", {samples_sentence(generator.at("samples"), inverse)}, {}, {samples}};
  if (generator.contains("test")) {
    for (std::string& paragraph : image_model_paragraphs(generator))
      section.paragraphs.push_back(std::move(paragraph));
    section.figures.push_back(
        run.figure("reconstructions", "Test images above, their reconstructions below."));
  }
  if (generator.contains("answers")) add_answers(generator, section);
  section.paragraphs.push_back(training_sentence(generator));
  if (inverse)
    section.paragraphs.push_back(
        encoder_sentence(generator.at("encoder"), run.session.get<GeneratorTraining>().inverse));
  for (const char* figure : {"generator-training", "encoder-training"})
    if (std::filesystem::exists(run.session.folder() / fmt::format("figures/{}.svg", figure)))
      section.figures.push_back(run.figure(figure, "The readings of the training, smoothed."));
  if (stands_alone(run)) {
    page.answer =
        "**The recipe has a generator alone, so there is no explanation.** " + section.paragraphs.front();
    page.headlines = headlines_of(generator);
    page.lead = {samples};
    section.paragraphs.erase(section.paragraphs.begin());  // both stand at the top already
    section.figures.erase(section.figures.begin());
  }
  page.sections.push_back(std::move(section));
  if (auto live =
          explains(run.session.recipe().values) ? std::nullopt : live_section(run, /*explained=*/false))
    page.sections.push_back(std::move(*live));
}

void report_generator_seeds(const experiment::SeedSpread& spread, report::Page& page) {
  if (!page.answer.empty()) return;
  for (const char* name : {"frechet", "precision", "recall", "bound", "reencoded"})
    if (const experiment::SeedSpread::Row* row = spread.find(name))
      page.headlines.push_back({row->median(), std::string(row->metric.title), row->range()});
  for (const experiment::SeedRun& run : spread.runs())
    page.lead.push_back({run.folder / "figures/samples", fmt::format("Seed {}: samples.", run.seed)});
  if (const experiment::SeedSpread::Row* distance = spread.find("frechet"))
    page.answer = fmt::format("With {} seeds the generator's Frechet distance is **{}** ({}).",
                              spread.runs().size(), distance->median(), distance->range());
}

}  // namespace whence::kinds
