// K, L and lambda chosen by gce/select.h, with every setting trained in memory.
#include <ATen/ATen.h>

#include <chrono>
#include <map>
#include <numeric>

#include "bindings/networks.h"
#include "kinds/gce/check_training.h"
#include "kinds/gce/gce.h"
#include "kinds/gce/selection.h"
#include "kinds/gce/selection_keys.h"
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

  bool needs_start(const Setting& setting) const {
    return asked_.request.warm_start && (setting.causal > 0 || setting.reference);
  }
  /// Its pilot where the rule makes one, otherwise step 1's autoencoder with as many latents.
  Setting start_of(const Setting& setting) const {
    const bool has_pilot = asked_.request.rules.rule == gce::SelectionRule::standard_error;
    if (setting.causal == 0 || setting.pilot || !has_pilot)
      return {.causal = 0, .noncausal = setting.latents()};
    Setting start = setting;
    start.pilot = true;
    return start;
  }
  std::int64_t pilot_steps() const {
    const std::int64_t steps = asked_.request.steps;
    return std::clamp<std::int64_t>(
        static_cast<std::int64_t>(asked_.request.pilot * static_cast<double>(steps)), 1, steps - 1);
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
    gce::Training training = asked_.training;
    training.steps = setting.pilot ? pilot_steps() : asked_.request.steps;
    if (needs_start(setting)) {
      const Setting start = start_of(setting);
      const Networks& from = networks_.at(key_of(start));
      networks = {from.encoder.clone(), from.decoder.clone()};
      training.warm_start = true;
      if (start.pilot) {
        training.steps -= pilot_steps();
        training.pretraining = 0;  // the pilot's, which put its latents in order
      }
    } else {
      const double kl_weight = setting.causal == 0 ? models::VaeTraining().kl_weight : training.kl_weight;
      training.warm_start =
          start_linearly(networks, asked_.train, training.initial, kl_weight, training.seed);
    }
    if (setting.causal == 0) {
      train_alone(networks, training, setting);
    } else {
      training.causal = setting.causal;
      training.noncausal = setting.noncausal;
      training.lambda = setting.lambda;
      gce::train(networks.encoder, networks.decoder, asked_.classifier, asked_.train, training,
                 progress_of_setting(setting));
    }
    return networks;
  }

  /// As the explanation would be without its causal term.
  void train_alone(Networks& networks, const gce::Training& like, const Setting& setting) const {
    models::VaeTraining training;
    training.initial = like.initial;
    training.warm_start = like.warm_start;
    training.steps = like.steps;
    training.batch = like.batch;
    training.learning_rate = like.learning_rate;
    training.beta1 = like.beta1;
    training.beta2 = like.beta2;
    training.schedule = like.schedule;
    training.warmup = like.warmup;
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
    const std::int64_t part = setting.pilot ? 4 : 1;  // no rule asks for the C of a pilot
    options.outer = std::max<std::int64_t>(2, asked_.request.outer / part);
    options.inner = std::max<std::int64_t>(2, asked_.request.inner / part);
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
    const double budget = asked_.request.budget_seconds;
    if (budget == 0) return true;
    double cost = 0;
    for (std::size_t i = 0; i < trials.size(); ++i) {
      const Setting& other = trials[i].setting;
      if ((other.causal > 0) == (setting.causal > 0) && other.pilot == setting.pilot)
        cost = std::max(cost, seconds[i]);
    }
    const double spent = std::accumulate(seconds.begin(), seconds.end(), 0.0);
    return spent < budget && spent + cost <= budget;
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

py::dict dict_of(const Setting& setting) {
  using namespace pybind11::literals;
  return py::dict("causal"_a = setting.causal, "noncausal"_a = setting.noncausal,
                  "lambda_"_a = setting.lambda);
}

py::list list_of(const SelectionInMemory& selection) {
  py::list trials;
  for (std::size_t i = 0; i < selection.trials.size(); ++i) {
    const Trial& trial = selection.trials[i];
    py::dict entry = dict_of(trial.setting);
    entry["pilot"] = trial.setting.pilot;
    entry["reference"] = trial.setting.reference;
    entry["sse"] = trial.sse;
    entry["kl"] = trial.kl;
    entry["bound_se"] = trial.bound_se;
    const bool judged = trial.setting.causal > 0;
    entry["effect"] = judged ? py::object(py::float_(trial.effect)) : py::none();
    entry["effect_se"] = judged ? py::object(py::float_(trial.effect_se)) : py::none();
    entry["seconds"] = selection.seconds[i];
    trials.append(entry);
  }
  return trials;
}

using LabelledImages = std::pair<at::Tensor, at::Tensor>;

/// `rules`: of kinds::selection_keys; `texts`: of [explanation]. `train`, `held`: bytes and classes.
py::dict select(const models::Classifier& classifier, const LabelledImages& train, const LabelledImages& held,
                const std::vector<std::string>& class_names, const std::string& architecture,
                std::int64_t width, const std::string& initialisation, const Texts& rules, const Texts& texts,
                bool warm_start, double budget_seconds, std::uint64_t seed, const py::object& progress) {
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
  const gce::Decision& decision = selection.decision;
  using namespace pybind11::literals;
  return py::dict("rule"_a = std::string(gce::name_of(request.rules.rule)),
                  "chosen"_a = decision.chosen ? py::object(dict_of(*decision.chosen)) : py::none(),
                  "limit"_a = decision.limit ? py::object(py::float_(*decision.limit)) : py::none(),
                  "complete"_a = selection.complete, "reasons"_a = decision.reasons,
                  "trials"_a = list_of(selection));
}

}  // namespace

void add_select(py::module_& module) { module.def("select", &select); }

}  // namespace whence::python
