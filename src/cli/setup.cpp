#include "cli/setup.h"

#include <charconv>
#include <iostream>

#include "cli/fast_start.h"
#include "data/layout.h"
#include "experiment/display.h"
#include "whence/core/error.h"
#include "whence/data/idx.h"
#include "whence/data/known.h"
#include "whence/platform/interrupt.h"
#include "whence/platform/machine.h"

namespace fs = std::filesystem;

namespace whence::cli {
namespace {

constexpr std::int64_t kMost = 1'000'000;

/// "2x3" -> {2, 3}; empty when it is anything else.
std::vector<std::int64_t> parse_counts(const std::string& text) {
  std::vector<std::int64_t> counts;
  const char* at = text.data();
  const char* end = at + text.size();
  while (true) {
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(at, end, value);
    if (error != std::errc() || value < 1 || value > kMost) return {};
    counts.push_back(value);
    if (stop == end) return counts;
    if (*stop != 'x') return {};
    at = stop + 1;
  }
}

}  // namespace

void set_up(std::int64_t threads) {
  start_with_fast_libraries();
  use_threads(static_cast<int>(threads));
  keep_freed_memory();
  const Machine machine = describe_machine();
  if (machine.reference_blas) {
    std::cerr << "whence: warning: the BLAS of this machine (" << machine.blas
              << ") is unoptimised and about 50 times slower; install libopenblas0-openmp" << std::endl;
  }
}

void work_with_display(bool quiet, const std::function<void(experiment::Display&)>& work) {
  experiment::Display display(quiet ? experiment::DisplayStyle::silent : experiment::style_for(stderr),
                              stderr);
  try {
    work(display);
  } catch (const Error& error) {
    display.finish();
    if (error.code() != ExitCode::interrupted) throw;
    throw Error("interrupted; the same command continues from here", ExitCode::interrupted);
  } catch (...) {
    display.finish();
    throw;
  }
  display.finish();
}

void add_settings(CLI::App& command, std::vector<std::string>& settings) {
  command.add_option("--set", settings, "Changes a recipe value: section.key=value; may be repeated")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->allow_extra_args(false)  // what follows may be the recipe
      ->take_all();
}

ProgressCallback show_progress() {
  auto display = std::shared_ptr<experiment::Display>(
      new experiment::Display(experiment::style_for(stderr), stderr), [](experiment::Display* d) {
        d->finish();
        delete d;
      });
  return [display](const Progress& progress) {
    display->show(progress);
    throw_if_interrupted();
  };
}

std::vector<std::int64_t> parse_shape(const std::string& text) {
  const std::vector<std::int64_t> shape = parse_counts(text);
  if (shape.empty()) fail_usage("--input is '{}', but must be a sample's shape such as 1x28x28 or 6", text);
  return shape;
}

experiment::DataOptions parse_data(const std::string& data, const std::vector<std::int64_t>& classes) {
  experiment::DataOptions options;
  options.classes = classes;
  if (!fs::is_directory(data)) {
    options.set = data::known_set(data).name;
    return options;
  }
  options.path = data;
  const auto layout = data::layout_of(data);
  if (!layout)
    fail("{} holds no data set: it has no IDX files, CIFAR-10 batches or folders of pictures", data);
  if (*layout == data::Layout::cifar) options.set = "cifar10";
  if (*layout == data::Layout::pictures) options.set = "pictures";
  if (*layout != data::Layout::idx) return options;
  options.set = "idx";
  const auto file = data::find_file(data, data::idx_train_labels);
  const std::int64_t labels = file ? data::read_idx(*file).max().item<std::int64_t>() + 1 : 0;
  for (std::int64_t label = 0; label < labels; ++label) options.class_names.push_back(std::to_string(label));
  return options;
}

}  // namespace whence::cli
