#include "experiment/pipeline.h"

#include <chrono>

#include "experiment/log.h"
#include "experiment/machine_record.h"
#include "experiment/stages.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/platform/interrupt.h"
#include "whence/platform/machine.h"

namespace fs = std::filesystem;

namespace whence::experiment {
namespace {

bool begun(const RunFolder& folder, const Stage& stage, const Stamp& stamp) {
  return stamp.finished || fs::exists(folder.checkpoint(stage.name));
}

nlohmann::json content_of(Session& session, const Stage& stage) {
  return stage.content == nullptr ? nlohmann::json::object() : stage.content(session);
}

/// A key that the whence of then did not have yet counts as its default.
Stamp stamp_of(const Kinds& kinds, const RunFolder& folder, const Stage& stage) {
  Stamp stamp = read_stamp(folder, stage.name);
  if (!stamp.inputs.contains("recipe")) return stamp;
  nlohmann::json all = recipe_values({&kinds}, stage.keys);
  all.update(stamp.inputs["recipe"]);
  stamp.inputs["recipe"] = std::move(all);
  return stamp;
}

/// A path counts by what it leads to, which a stage's content tells: a folder of runs may be moved.
bool same_inputs(const Kinds& kinds, nlohmann::json a, nlohmann::json b) {
  for (nlohmann::json* inputs : {&a, &b})
    if (inputs->contains("recipe")) (*inputs)["recipe"] = without_paths(kinds, (*inputs)["recipe"]);
  return a == b;
}

/// What a stage was made from beside its recipe. The precision is not requested: a run keeps its own.
nlohmann::json files_of(nlohmann::json content) {
  content.erase("precision");
  return content;
}

/// "data.classes is [0,3] there and [0,4] here"
std::string differences(const nlohmann::json& there, const nlohmann::json& here) {
  std::string text;
  for (const auto& [key, value] : here.items()) {
    const nlohmann::json other = there.value(key, nlohmann::json());
    if (other == value) continue;
    text += fmt::format("{}{} is {} there and {} here", text.empty() ? "" : ", ", key, other.dump(),
                        value.dump());
  }
  return text;
}

/// Hours of training are not thrown away because a recipe was edited.
void check_same_recipe(Session& session) {
  const RunFolder& folder = session.folder();
  const Kinds& kinds = *session.recipe().kinds;
  for (const Stage& stage : stages(kinds)) {
    const Stamp stamp = stamp_of(kinds, folder, stage);
    if (!stage.expensive || !begun(folder, stage, stamp)) continue;
    const nlohmann::json &there = stamp.inputs.at("recipe"),
                         here = recipe_values(session.recipe(), stage.keys);
    std::string text = differences(there, here);
    if (!text.empty() && files_of(stamp.inputs.at("content")) == files_of(content_of(session, stage)))
      text = differences(there, without_paths(kinds, here));
    if (!text.empty())
      fail("{} was made by another recipe ({}); give another folder with --out, or replace it with --force",
           folder.path().string(), text);
  }
}

/// Nor because a set's files were exchanged, or found elsewhere: the recipe says the same of other images.
void check_same_data(Session& session) {
  const Kinds& kinds = *session.recipe().kinds;
  const Stamp stamp = stamp_of(kinds, session.folder(), stages(kinds).front());
  if (!stamp.finished || stamp.inputs.at("content") == data_content(session)) return;
  fail(
      "{} was made from other {} than those found now as {}; give another folder with --out, or replace "
      "it with --force",
      session.folder().path().string(), is_text(session.get<DataOptions>()) ? "texts" : "images",
      session.get<DataOptions>().set);
}

nlohmann::json inputs_of(Session& session, const Stage& stage) {
  nlohmann::json after = nlohmann::json::object();
  for (const std::string_view name : stage.after)
    after[std::string(name)] = read_stamp(session.folder(), name).fingerprint;
  return {{"recipe", recipe_values(session.recipe(), stage.keys)},
          {"content", content_of(session, stage)},
          {"after", after}};
}

bool products_exist(const RunFolder& folder, const Stamp& stamp) {
  return std::all_of(stamp.products.begin(), stamp.products.end(),
                     [&](const std::string& file) { return fs::exists(folder / file); });
}

/// Marks everything made from the result of `stage` as out of date.
void forget_later(const Kinds& kinds, const RunFolder& folder, std::string_view stage) {
  for (const Stage& later : stages(kinds)) {
    if (std::find(later.after.begin(), later.after.end(), stage) == later.after.end()) continue;
    Stamp forgotten;  // but for its files: they go when others take their place
    forgotten.products = read_stamp(folder, later.name).products;
    if (fs::exists(folder.stamp(later.name))) write_stamp(folder, later.name, forgotten);
    fs::remove(folder.checkpoint(later.name));
    forget_later(kinds, folder, later.name);
  }
}

void remove_superseded(const RunFolder& folder, const Stamp& old, const StageResult& now) {
  for (const std::string& file : old.products) {
    if (std::find(now.products.begin(), now.products.end(), file) == now.products.end())
      fs::remove(folder / file);
  }
}

class StageRunner {
 public:
  StageRunner(Session& session, const PipelineOptions& options, Display& display)
      : session_(session),
        kinds_(*session.recipe().kinds),
        options_(options),
        display_(display),
        log_(session.folder() / "log.jsonl") {
    session_.progress = [this](const Progress& progress) {
      display_.show(progress);
      log_.append(progress);
      throw_if_interrupted();
    };
  }

  void run(const Stage& stage) {
    throw_if_interrupted();
    may_work_ = may_work_ || stage.name == options_.first;
    const RunFolder& folder = session_.folder();
    const Stamp old = stamp_of(kinds_, folder, stage);
    const nlohmann::json inputs = inputs_of(session_, stage);
    const bool unchanged = same_inputs(kinds_, old.inputs, inputs);
    if (unchanged && old.finished && !asked_again(stage) && products_exist(folder, old)) return;
    if (!asked_again(stage) && borrowed(stage, inputs)) return;
    if (!may_work_) {
      fail("the {} stage of {} is not done; `whence run {}` does it", stage.name, folder.path().string(),
           folder.path().string());
    }
    worked_ = true;
    const bool resumes = unchanged && !old.finished && fs::exists(folder.checkpoint(stage.name));
    if (!resumes) start_over(stage);
    display_.note(
        fmt::format("{}: {}", stage.name, resumes ? "continues where it was interrupted" : "begins"));
    Stamp stamp;
    stamp.inputs = inputs;
    stamp.fingerprint = new_fingerprint(inputs);
    stamp.seconds = resumes ? old.seconds : 0;
    stamp.products = old.products;
    work(stage, stamp, old);
  }

  /// A result that other inputs led to does not stand beside the new ones.
  void forget_if_outdated(const Stage& stage) {
    const Stamp stamp = stamp_of(kinds_, session_.folder(), stage);
    if (!same_inputs(kinds_, stamp.inputs, inputs_of(session_, stage))) forget(stage);
  }
  void forget(const Stage& stage) {
    const RunFolder& folder = session_.folder();
    if (!fs::exists(folder.stamp(stage.name))) return;
    for (const std::string& file : read_stamp(folder, stage.name).products) fs::remove(folder / file);
    fs::remove(folder.checkpoint(stage.name));
    fs::remove(folder.stamp(stage.name));
    write_json(folder / "metrics.json", collect_metrics(kinds_, folder));
  }

  bool worked() const { return worked_; }

 private:
  using Clock = std::chrono::steady_clock;

  bool asked_again(const Stage& stage) const {
    return std::find(options_.redo.begin(), options_.redo.end(), stage.name) != options_.redo.end();
  }

  /// Whether the lender had done this very work; its files and its stamp are here then, the stamp last.
  bool borrowed(const Stage& stage, const nlohmann::json& inputs) {
    if (options_.lender.empty()) return false;
    const RunFolder lender(options_.lender);
    const RunFolder& folder = session_.folder();
    const Stamp stamp = stamp_of(kinds_, lender, stage);
    if (!stamp.finished || !same_inputs(kinds_, stamp.inputs, inputs) || !products_exist(lender, stamp))
      return false;
    start_over(stage);
    for (const std::string& file : stamp.products) {
      write_file_with(folder / file, [&](const fs::path& copy) {
        fs::copy_file(lender / file, copy, fs::copy_options::overwrite_existing);
      });
    }
    write_stamp(folder, stage.name, stamp);
    write_json(folder / "metrics.json", collect_metrics(kinds_, folder));
    return worked_ = true;
  }

  void start_over(const Stage& stage) {
    fs::remove(session_.folder().checkpoint(stage.name));
    forget_later(kinds_, session_.folder(), stage.name);
    log_.drop(stage.name);
  }

  /// Differs between executions, so that what depends on one of them is done again after the next.
  static std::string new_fingerprint(const nlohmann::json& inputs) {
    const auto time = std::chrono::system_clock::now().time_since_epoch().count();
    return fingerprint_of(inputs.dump() + std::to_string(time));
  }

  void work(const Stage& stage, Stamp stamp, const Stamp& old) {
    const RunFolder& folder = session_.folder();
    write_stamp(folder, stage.name, stamp);
    const auto start = Clock::now();
    const double before = stamp.seconds;
    const auto seconds = [&] { return before + std::chrono::duration<double>(Clock::now() - start).count(); };
    StageResult result;
    try {
      result = stage.work(session_);
    } catch (const Error& error) {
      if (error.code() == ExitCode::interrupted) {
        stamp.seconds = seconds();
        write_stamp(folder, stage.name, stamp);
      }
      throw;
    }
    stamp.finished = true;
    stamp.seconds = std::max(seconds(), result.trained_seconds);
    stamp.peak_memory_bytes = peak_memory_bytes();
    stamp.metrics = result.metrics;
    stamp.products = result.products;
    write_stamp(folder, stage.name, stamp);
    fs::remove(folder.checkpoint(stage.name));
    remove_superseded(folder, old, result);
    write_json(folder / "metrics.json", collect_metrics(kinds_, folder));
    display_.note(fmt::format("{}: done in {}{}{}", stage.name, clock_time(stamp.seconds),
                              result.summary.empty() ? "" : ", ", result.summary));
  }

  Session& session_;
  const Kinds& kinds_;
  const PipelineOptions& options_;
  Display& display_;
  ProgressLog log_;
  bool may_work_ = false, worked_ = false;
};

void write_recipe(const Session& session) {
  const fs::path path = session.folder() / "recipe.toml";
  const std::string text = to_toml(session.recipe());
  if (!fs::exists(path) || read_file(path) != text) write_file(path, text);
}

/// What stages to come would find missing only when it is their turn.
void check_ready(Session& session, std::string_view last) {
  for (const Stage& stage : stages(*session.recipe().kinds)) {
    const bool to_do = stage.ready != nullptr && is_asked(stage, session.recipe().values) &&
                       !read_stamp(session.folder(), stage.name).finished;
    if (to_do) stage.ready(session);
    if (stage.name == last) return;
  }
}

}  // namespace

nlohmann::json collect_metrics(const Kinds& kinds, const RunFolder& folder) {
  nlohmann::json metrics = nlohmann::json::object();
  std::int64_t peak = 0;
  for (const Stage& stage : stages(kinds)) {
    const Stamp stamp = read_stamp(folder, stage.name);
    if (!stamp.finished) continue;
    if (stamp.metrics.is_object())
      metrics[std::string(stage.kind ? stage.kind->name : stage.name)].update(stamp.metrics);
    metrics["stages"][std::string(stage.name)]["seconds"] = stamp.seconds;
    peak = std::max(peak, stamp.peak_memory_bytes);
  }
  metrics["peak_memory_bytes"] = peak;
  return metrics;
}

void run_stages(Session& session, const PipelineOptions& options, Display& display) {
  // Before the folder is made: without data there is nothing to run.
  is_text(session.get<DataOptions>()) ? static_cast<void>(session.texts())
                                      : static_cast<void>(session.data());
  if (!options.force) check_format(session.folder());
  session.check_networks();
  check_ready(session, options.last);
  const FolderLock lock(session.folder());
  if (!is_readable(session.folder())) fs::remove_all(session.folder() / ".stages");
  if (!options.force) {
    check_same_recipe(session);
    check_same_data(session);
  }
  write_recipe(session);  // first: it is what makes the folder a run
  session.precision = record_machine(session.folder(), session.recipe(), options.force);
  StageRunner runner(session, options, display);
  const std::vector<Stage> all = stages(*session.recipe().kinds);
  // First: kinds may make the same files, such as the generator's weights.
  for (const Stage& stage : all)
    if (!is_asked(stage, session.recipe().values)) runner.forget(stage);
  for (const Stage& stage : all) {
    if (is_asked(stage, session.recipe().values)) {
      if (stage.on_demand && stage.name != options.last)
        runner.forget_if_outdated(stage);
      else
        runner.run(stage);
    }
    if (stage.name == options.last) break;
  }
  if (!runner.worked()) display.note("nothing to do: everything is up to date");
}

}  // namespace whence::experiment
