// K, L and lambda chosen by gce/select.h, with every setting trained in memory.
#include <ATen/ATen.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "bindings/networks.h"
#include "kinds/gce/check_training.h"
#include "kinds/gce/gce.h"
#include "kinds/gce/selection_keys.h"
#include "kinds/gce/selection_plan.h"
#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/explain/flow/ablation.h"

namespace whence::python {
namespace {

using gce::Setting, gce::Trial;

/// What is asked, with the images (bytes) that settings are trained and compared on.
struct Selecting {
  const models::Classifier& classifier;
  data::Dataset train, held;
  NetworkChoice choice;
  gce::Training training;
  kinds::SelectionRequest request;
};

/// As kinds::SelectionRun, without run folders: the same settings, seeds and measures.
class SelectionInMemory {
 public:
  SelectionInMemory(Selecting asked, ProgressCallback progress)
      : asked_(std::move(asked)), progress_(std::move(progress)) {}

  void run() {
    while (true) {
      decision = gce::decide(trials, asked_.request.rules);
      complete = !decision.next;
      if (complete) return;
      if (!affords(*decision.next)) {
        decision = gce::settle(trials, asked_.request.rules);
        return;
      }
      measure(*decision.next);
    }
  }

  std::vector<Trial> trials;
  std::vector<double> seconds;  ///< of each trial
  gce::Decision decision;
  bool complete = false;

 private:
  using Key = std::tuple<std::int64_t, std::int64_t, double, bool, bool>;
  static Key key_of(const Setting& setting) {
    return {setting.causal, setting.noncausal, setting.lambda, setting.pilot, setting.reference};
  }

  ProgressCallback progress_of_setting(const Setting& setting) const {
    return [this, name = gce::describe(setting)](Progress now) {
      now.stage = fmt::format("{}: {}", name, now.stage);
      progress_(now);
    };
  }

  Networks trained(const Setting& setting) {
    Networks networks = new_networks(asked_.choice, asked_.train.images.sizes().slice(1).vec(),
                                     setting.latents(), asked_.classifier.device());
    gce::Training training = training_of(asked_.request, asked_.training, setting);
    if (const auto start = start_of(asked_.request, setting)) {
      const Networks& from = networks_.at(key_of(*start));
      networks = {from.encoder.clone(), from.decoder.clone()};
      training.warm_start = true;
    } else {
      const double kl_weight = setting.causal == 0 ? models::VaeTraining().kl_weight : training.kl_weight;
      training.warm_start =
          start_linearly(networks, asked_.train, training.initial, kl_weight, training.seed);
    }
    if (setting.causal == 0)
      train_alone(networks, training, setting);
    else
      gce::train(networks.encoder, networks.decoder, asked_.classifier, asked_.train, training,
                 progress_of_setting(setting));
    return networks;
  }

  void train_alone(Networks& networks, const gce::Training& like, const Setting& setting) const {
    models::VaeTraining training;
    kinds::train_alike(training, like);
    training.initial = like.initial;
    training.warm_start = like.warm_start;
    training.seed = like.seed;
    models::train_vae(networks.encoder, networks.decoder, asked_.train, training,
                      progress_of_setting(setting));
  }

  Trial trial_of(const Setting& setting, const Networks& networks) const {
    const auto encoder = models::as_encoder(networks.encoder);
    const auto decoder = models::as_decoder(networks.decoder);
    const std::uint64_t seed = asked_.training.seed;
    Generator codes = make_generator(seed, "validation/fidelity");
    const flow::Fidelity fidelity = flow::fidelity(*encoder, *decoder, asked_.held, codes);
    Trial trial;
    trial.setting = setting;
    trial.sse = fidelity.sse;
    trial.kl = fidelity.kl;
    trial.bound_se = fidelity.se;
    const at::Tensor bounds = fidelity.of_images.cpu().contiguous();
    trial.of_images.assign(bounds.data_ptr<float>(), bounds.data_ptr<float>() + bounds.numel());
    if (setting.causal == 0) return trial;
    flow::FlowOptions options;
    set_draws(asked_.request, setting, options);
    flow::Factors alpha(static_cast<std::size_t>(setting.causal));
    std::iota(alpha.begin(), alpha.end(), 0);
    Generator draws = make_generator(seed, "validation/flow");
    const flow::FlowValue effect = flow::information_flow(*decoder, asked_.classifier, alpha, options, draws,
                                                          progress_of_setting(setting));
    trial.effect = effect.nats;
    trial.effect_se = effect.se;
    return trial;
  }

  void measure(const Setting& setting) {
    const auto begun = std::chrono::steady_clock::now();
    const auto found = networks_.insert_or_assign(key_of(setting), trained(setting)).first;
    trials.push_back(trial_of(setting, found->second));
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
  }

  /// Whether the budget leaves as much time as the longest setting of its kind took.
  bool affords(const Setting& setting) const {
    if (asked_.request.budget_seconds == 0) return true;
    double cost = 0;
    for (std::size_t i = 0; i < trials.size(); ++i)
      if (kinds::is_alike(trials[i].setting, setting)) cost = std::max(cost, seconds[i]);
    return leaves(asked_.request, std::accumulate(seconds.begin(), seconds.end(), 0.0), cost);
  }

  Selecting asked_;
  ProgressCallback progress_;
  std::map<Key, Networks> networks_;
};

/// Of "rule" first, which gives the others their defaults.
kinds::SelectionRequest request_of(Texts texts) {
  config::Values values;
  values.get<gce::SelectionOptions>() = gce::selection_options(gce::SelectionRule::standard_error);
  if (const auto rule = texts.extract("rule"))
    read_options(kinds::selection_keys(), {{"rule", rule.mapped()}}, values);
  read_options(kinds::selection_keys(), texts, values);
  auto request = values.get<kinds::SelectionRequest>();
  request.rules = values.get<gce::SelectionOptions>();
  gce::check(request.rules);
  return request;
}

gce::Training training_with(const Texts& texts) {
  config::Values values = explanation_defaults();
  read_options(explanation_keys(), texts, values);
  kinds::check_training(values.get<gce::Training>(), "select");
  const auto training = values.get<gce::Training>();
  if (training.causal_weight == 0) fail_usage("causal_weight is 0, so no setting has a causal effect");
  if (training.answer_weight > 0 || training.manifold_weight > 0)
    fail_usage("{} is above 0; choose without it, and give it to explain with the chosen setting",
               training.answer_weight > 0 ? "answer_weight" : "manifold_weight");
  return training;
}

nlohmann::json record_of(const SelectionInMemory& selection, gce::SelectionRule rule) {
  nlohmann::json trials = nlohmann::json::array();
  for (std::size_t i = 0; i < selection.trials.size(); ++i)
    trials.push_back(kinds::to_json(selection.trials[i], selection.seconds[i]));
  const gce::Decision& decision = selection.decision;
  return {{"rule", gce::name_of(rule)},
          {"chosen", decision.chosen ? kinds::to_json(*decision.chosen) : nlohmann::json()},
          {"limit", decision.limit ? nlohmann::json(*decision.limit) : nlohmann::json()},
          {"complete", selection.complete},
          {"reasons", decision.reasons},
          {"trials", std::move(trials)}};
}

using LabelledImages = std::pair<at::Tensor, at::Tensor>;

/// `rules`: of kinds::selection_keys; `texts`: of [explanation]. `train`, `held`: bytes and classes. What selection.json holds.
std::string select(const models::Classifier& classifier, const LabelledImages& train,
                   const LabelledImages& held, const std::vector<std::string>& class_names,
                   const std::string& architecture, std::int64_t width, const std::string& initialisation,
                   const Texts& rules, const Texts& texts, bool warm_start, double budget_seconds,
                   std::uint64_t seed, const py::object& progress) {
  kinds::SelectionRequest request = request_of(rules);
  request.warm_start = request.rules.reference = warm_start;
  request.budget_seconds = budget_seconds;
  gce::Training training = training_with(texts);
  const NetworkChoice choice = network_choice(architecture, width, initialisation);
  training.initial = choice.initial;
  training.seed = seed;
  SelectionInMemory selection({classifier,
                               {train.first, train.second, class_names},
                               {held.first, held.second, class_names},
                               choice,
                               training,
                               request},
                              watched(progress));
  {
    const py::gil_scoped_release released;
    selection.run();
  }
  return record_of(selection, request.rules.rule).dump();
}

}  // namespace

void add_select(py::module_& module) { module.def("select", &select); }

}  // namespace whence::python
