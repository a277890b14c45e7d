#include "kinds/gce/selection.h"

#include "experiment/pipeline.h"
#include "experiment/sharing.h"
#include "kinds/gce/gce.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/interchange/safetensors.h"

namespace fs = std::filesystem;

namespace whence::kinds {
namespace {

using namespace experiment;

constexpr const char* kSettings = "settings";

void check_request(const Recipe& recipe, const SelectionRequest& request) {
  const auto require = [](bool good, const std::string& sentence) {
    if (!good) fail_usage("{}", sentence);
  };
  const auto& explanation = recipe.get<gce::Training>();
  gce::check(request.rules);
  require(recipe.get<GeneratorOptions>().latents == 0,
          "generator.latents asks for an autoencoder alone, so there is no K, L and lambda to choose; leave "
          "it out");
  require(explains(recipe.values), "explanation.steps is 0, so there is nothing to choose; leave it out");
  require(recipe.get<GeneratorOptions>().start.empty(),
          "generator.start fixes the number of latents, which is to be chosen; leave it out");
  require(explanation.causal_weight > 0,
          "explanation.causal_weight is 0, so no setting has a causal effect; leave it out");
  require(explanation.answer_weight == 0,
          "explanation.answer_weight is above 0, but settings are compared with autoencoders that know no "
          "classifier; choose without it and set it in the run of the chosen recipe");
  require(explanation.manifold_weight == 0,
          "explanation.manifold_weight is above 0, but it needs the pretraining of a single run; choose "
          "without it and set it in the run of the chosen recipe");
  require(request.steps > 3, fmt::format("{} steps are too few; give 4 or more", request.steps));
  require(request.budget_seconds >= 0, "the budget must not be below 0");
}

/// A folder of other things is not to be mixed with a selection.
void check_is_selection(const fs::path& folder) {
  if (fs::exists(folder / kSettings)) return;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with('.'))
      fail("{} holds '{}' but no {}: it is not the folder of a selection; give another one with --out",
           folder.string(), name, kSettings);
  }
}

/// The stage that trains a setting, and the last one.
std::string_view training_stage(const gce::Setting& setting) {
  return setting.causal == 0 ? "generator" : "explanation";
}
std::string_view measuring_stage(const gce::Setting& setting) {
  return setting.causal == 0 ? kGeneratorValidation : "validation";
}

std::string folder_name(const gce::Setting& setting) {
  if (setting.causal == 0)
    return fmt::format("latents-{}{}", setting.noncausal, setting.reference ? "-reference" : "");
  return fmt::format("k{}-l{}-lambda{:g}{}", setting.causal, setting.noncausal, setting.lambda,
                     setting.pilot ? "-pilot" : "");
}

double stage_seconds(const RunFolder& folder, std::initializer_list<std::string_view> stages) {
  double seconds = 0;
  for (const std::string_view stage : stages) seconds += read_stamp(folder, stage).seconds;
  return seconds;
}

/// The measurements of a setting's run.
gce::Trial trial_of(const Kinds& kinds, const gce::Setting& setting, const RunFolder& folder) {
  const nlohmann::json metrics = collect_metrics(kinds, folder);
  const nlohmann::json& measured = metrics.at(setting.causal == 0 ? "generator" : "gce").at("validation");
  gce::Trial trial{.setting = setting};
  measured.at("sse").get_to(trial.sse);
  measured.at("kl").get_to(trial.kl);
  measured.at("se").get_to(trial.bound_se);
  const at::Tensor bounds = nn::load_safetensors(folder / kValidationBounds).tensors.front().tensor;
  trial.of_images.assign(bounds.data_ptr<float>(), bounds.data_ptr<float>() + bounds.numel());
  if (setting.causal == 0) return trial;
  const nlohmann::json& alpha = measured.at("alpha");
  alpha.at("nats").get_to(trial.effect);
  alpha.at("se").get_to(trial.effect_se);
  return trial;
}

std::string result_line(const gce::Trial& trial) {
  const std::string bound = fmt::format("SSE + KL {:.2f} +- {:.2f}", trial.bound(), trial.bound_se);
  if (trial.setting.causal == 0) return bound;
  return fmt::format("C {:.3f} +- {:.3f}, {}", trial.effect, trial.effect_se, bound);
}

class SelectionRun {
 public:
  SelectionRun(const Recipe& recipe, const fs::path& folder, const SelectionRequest& request,
               Display& display)
      : recipe_(recipe), folder_(fs::absolute(folder)), request_(request), display_(display) {
    recipe_.get<gce::Training>().steps = request.steps;
    request_.rules.reference = request.warm_start;
  }

  Selection run() {
    train_classifier();
    while (true) {
      std::vector<gce::Trial> trials;
      for (const SelectionTrial& each : selection_.trials) trials.push_back(each.trial);
      selection_.decision = gce::decide(trials, request_.rules);
      selection_.complete = !selection_.decision.next;
      if (selection_.complete) break;
      if (!affords(*selection_.decision.next)) {
        selection_.decision = gce::settle(trials, request_.rules);
        break;
      }
      share(*selection_.decision.next, trials);
    }
    finish();
    return std::move(selection_);
  }

 private:
  RunFolder run_folder(const gce::Setting& setting) const {
    return RunFolder(folder_ / kSettings / folder_name(setting));
  }

  /// What was done before is gone through all the same, for its inputs may have changed, but in silence.
  void run_unless_done(Session& session, const PipelineOptions& options) {
    Display silent(DisplayStyle::silent, stderr);
    const bool done = read_stamp(session.folder(), options.last).finished;
    run_stages(session, options, done ? silent : display_);
  }

  bool is_done(const gce::Setting& setting) const {
    return read_stamp(run_folder(setting), measuring_stage(setting)).finished;
  }

  /// Measures the setting, unless another process is at it: then this one trains ahead what the rule will probably ask for next, or waits.
  void share(const gce::Setting& setting, const std::vector<gce::Trial>& trials) {
    const fs::path folder = run_folder(setting).path();
    while (true) {
      if (const auto claim = claims_.ask(claim_of(folder))) return measure(setting);
      if (!train_ahead(setting, trials)) wait_for_claim(folder, told_, display_);
    }
  }

  /// What the rule would ask for if `setting` came out as the last setting of its kind did. False: nothing that could be begun.
  bool train_ahead(gce::Setting setting, std::vector<gce::Trial> trials) {
    constexpr int depth = 4;
    for (int i = 0; i < depth; ++i) {
      const auto alike = std::find_if(trials.rbegin(), trials.rend(), [&](const gce::Trial& trial) {
        return (trial.setting.causal > 0) == (setting.causal > 0) && trial.setting.pilot == setting.pilot &&
               trial.setting.reference == setting.reference;
      });
      if (alike == trials.rend()) return false;
      gce::Trial guess = *alike;
      guess.setting = setting;
      trials.push_back(guess);
      const auto next = gce::decide(trials, request_.rules).next;
      if (!next) return false;
      setting = *next;
      const std::optional<gce::Setting> start = start_of(request_, setting);
      const bool ready = !start || is_done(*start);
      if (!ready || is_done(setting) || !affords(setting)) continue;
      if (const auto claim = claims_.ask(claim_of(run_folder(setting).path()))) {
        display_.note(fmt::format("ahead of the rule: {}", gce::describe(setting)));
        train(setting);
        return true;
      }
    }
    return false;
  }

  /// The first run also settles the precision, so that every setting is trained alike.
  void train_classifier() {
    Session session(recipe_, RunFolder(folder_ / "classifier"));
    PipelineOptions options;
    options.last = "classifier";
    options.force = request_.force;
    share_work(
        1, [&](std::int64_t) { return session.folder().path(); },
        [&](std::int64_t) { run_unless_done(session, options); }, display_);
    check_images(session);
    recipe_.get<RunOptions>().precision =
        session.precision == Precision::bfloat16 ? PrecisionRequest::bfloat16 : PrecisionRequest::float32;
    spent_ = stage_seconds(session.folder(), {"data", "classifier"});
  }

  void check_images(Session& session) {
    if (session.data().has_validation()) return;
    selection_.images = "test";
    display_.note(
        "the set has no validation images, so settings are compared on test images; later measurements on "
        "these are too good for the chosen setting");
  }

  Recipe recipe_of(const gce::Setting& setting) const {
    Recipe recipe = recipe_;
    recipe.get<About>().title = gce::describe(setting);
    gce::Training& training = recipe.get<gce::Training>();
    training = training_of(request_, training, setting);
    set_draws(request_, setting, recipe.get<EvaluationOptions>().flow);
    if (setting.causal == 0) {
      train_alike(recipe.get<GeneratorTraining>().vae, training);
      recipe.get<GeneratorOptions>().latents = setting.noncausal;
    }
    if (const auto start = start_of(request_, setting))
      recipe.get<GeneratorOptions>().start = run_folder(*start).path().string();
    check_recipe(recipe, gce::describe(setting));
    return recipe;
  }

  void train(const gce::Setting& setting) {
    Session session(recipe_of(setting), run_folder(setting));
    PipelineOptions options;
    options.last = measuring_stage(setting);
    options.force = request_.force;
    options.lender = folder_ / "classifier";
    run_unless_done(session, options);
  }

  void measure(const gce::Setting& setting) {
    const RunFolder folder = run_folder(setting);
    if (!is_done(setting))
      display_.note(fmt::format("setting {}: {}", selection_.trials.size() + 1, gce::describe(setting)));
    train(setting);
    const gce::Trial trial = trial_of(*recipe_.kinds, setting, folder);
    const double seconds = stage_seconds(folder, {training_stage(setting), measuring_stage(setting)});
    selection_.trials.push_back({trial, fs::path(kSettings) / folder_name(setting), seconds});
    spent_ += seconds;
    display_.note(fmt::format("{}: {}", gce::describe(setting), result_line(trial)));
  }

  /// Finished settings cost nothing.
  bool affords(const gce::Setting& setting) const {
    const RunFolder folder = run_folder(setting);
    if (request_.budget_seconds == 0 || is_done(setting)) return true;
    double cost = 0;
    for (const SelectionTrial& each : selection_.trials) {
      if (is_alike(each.trial.setting, setting)) cost = std::max(cost, each.seconds);
    }
    const double begun = stage_seconds(folder, {training_stage(setting), measuring_stage(setting)});
    return leaves(request_, spent_, std::max(cost, begun));
  }

  void finish() {
    selection_.seconds = spent_;
    write_json(folder_ / "selection.json", to_json(selection_, request_.rules.rule));
    draw_selection(selection_, folder_);
    report_selection(selection_, recipe_.get<About>().title, request_.rules.rule, folder_);
  }

  Recipe recipe_;
  fs::path folder_;
  SelectionRequest request_;
  Display& display_;
  Selection selection_;
  double spent_ = 0;
  Claims claims_;
  fs::path told_;  ///< whose claim was waited for last
};

/// The advice when no setting could be chosen.
const gce::Setting& chosen_of(const Selection& selection, const fs::path& folder) {
  if (selection.decision.chosen) return *selection.decision.chosen;
  if (!selection.complete)
    fail(
        "the time ended before any setting was good enough; continue with the same command and a larger "
        "--budget");
  fail("{}; allow more with --distance, or train longer with --steps ({} has what was measured)",
       selection.decision.reasons.back(), (folder / "selection.json").string());
}

}  // namespace

Recipe with_setting(Recipe recipe, const gce::Setting& setting) {
  if (setting.causal == 0) return recipe;
  recipe.get<gce::Training>().causal = setting.causal;
  recipe.get<gce::Training>().noncausal = setting.noncausal;
  recipe.get<gce::Training>().lambda = setting.lambda;
  return recipe;
}

Selection run_selection(const Recipe& recipe, const fs::path& folder, const SelectionRequest& request,
                        Display& display) {
  check_request(recipe, request);
  Session probe(recipe, RunFolder(folder));
  probe.data();  // before the folder is made: without data there is nothing to choose
  probe.check_networks();
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    fail("the folder {} cannot be made: {}; give another one with --out", folder.string(), error.message());
  check_is_selection(folder);
  fs::create_directories(folder / kSettings);
  Selection selection = SelectionRun(recipe, folder, request, display).run();
  if (!selection.decision.chosen) fs::remove(folder / "recipe.toml");  // of an earlier call
  write_file(folder / "recipe.toml", to_toml(with_setting(recipe, chosen_of(selection, folder))));
  return selection;
}

}  // namespace whence::kinds
