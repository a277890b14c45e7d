#include "experiment/figures.h"

#include "experiment/pipeline.h"
#include "experiment/stages.h"
#include "whence/core/random.h"

namespace whence::experiment {

Samples spread_samples(const data::Dataset& dataset, std::int64_t count, at::Generator& generator) {
  const at::Tensor order = at::randperm(dataset.size(), generator, at::kLong);
  const at::Tensor labels = dataset.labels.index_select(0, order);
  std::vector<at::Tensor> chosen;
  Samples samples;
  for (std::int64_t label = 0; label < dataset.classes(); ++label) {
    const std::int64_t share = count / dataset.classes() + (label < count % dataset.classes() ? 1 : 0);
    const at::Tensor rows = labels.eq(label).nonzero().squeeze(1);
    const std::int64_t taken = std::min(share, rows.size(0));
    chosen.push_back(order.index_select(0, rows.narrow(0, 0, taken)));
    samples.labels.insert(samples.labels.end(), static_cast<std::size_t>(taken),
                          dataset.class_names[static_cast<std::size_t>(label)]);
  }
  samples.images = data::to_float(dataset, at::cat(chosen));
  return samples;
}

std::filesystem::path Figures::stem(const std::string& name) {
  session_.progress({"figures", static_cast<std::int64_t>(products_.size() / 2), 0, {}});
  for (const char* ending : {".png", ".svg"}) products_.push_back("figures/" + name + ending);
  return session_.folder() / ("figures/" + name);
}

Samples Figures::samples(std::int64_t count, std::string_view stream) {
  Generator generator = make_generator(session_.seed(), stream);
  return spread_samples(session_.data().test, count, generator);
}

report::FigureRef Run::figure(const std::string& name, const std::string& caption) const {
  return {session.folder() / ("figures/" + name), caption};
}

StageResult figures_stage(Session& session) {
  const Recipe& recipe = session.recipe();
  Run run{session, collect_metrics(*recipe.kinds, session.folder())};
  Figures figures(session);
  for (const Kind& kind : *recipe.kinds)
    if (kind.figures != nullptr && kind.asked(recipe.values)) kind.figures(run, figures);
  return {{}, figures.products(), fmt::format("{} files", figures.products().size())};
}

}  // namespace whence::experiment
