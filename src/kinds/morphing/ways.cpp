#include "kinds/morphing/ways.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "explain/flow/classify.h"
#include "whence/core/names.h"
#include "whence/explain/counterfactual/morphing.h"

namespace whence::kinds {
namespace {

using at::Tensor;

double mean_over_cases(const Tensor& values) { return values.to(at::kDouble).mean().item<double>(); }

/// Means over the cases that were found.
void add_measures(nlohmann::json& json, const counterfactual::Judgement& judged, const Tensor& found) {
  const std::pair<const char*, const Tensor*> all[] = {
      {"transfer", &judged.transfers}, {"neighbours", &judged.neighbours}, {"reencoding", &judged.reencoding},
      {"distance", &judged.distance},  {"im1", &judged.interpretable},     {"im2", &judged.likeness}};
  for (const auto& [name, values] : all)
    if (values->defined() && found.any().item<bool>())
      json[name] = mean_over_cases(values->masked_select(found));
}

std::vector<std::string_view> target_words(const std::vector<std::string>& class_names) {
  std::vector<std::string_view> names(class_names.begin(), class_names.end());
  names.insert(names.end(), {"second", "every"});
  return names;
}

std::int64_t class_named(const std::string& name, const std::vector<std::string>& class_names) {
  const auto found = std::ranges::find(class_names, name);
  if (found != class_names.end()) return found - class_names.begin();
  fail_usage("there is no class '{}'{}; give \"second\", \"every\" or one of {}", name,
             did_you_mean(name, target_words(class_names)), fmt::join(class_names, ", "));
}

/// A column of a table of ways: its heading, the measure's name, the form of a number, "" for a share in percent.
struct Column {
  const char *heading, *name, *form;
};
constexpr Column kColumns[] = {{"not found", "failed", ""},
                               {"misses the stopping rule", "unfinished", ""},
                               {"transfers", "transfer", ""},
                               {"neighbours of the class", "neighbours", ""},
                               {"re-encoding error", "reencoding", "{:.2f}"},
                               {"distance", "distance", "{:.2f}"},
                               {"IM1", "im1", "{:.3f}"},
                               {"IM2", "im2", "{:.4f}"},
                               {"cycle error", "cycle", "{:.4f}"},
                               {"mask", "mask", ""},
                               {"iterations", "iterations", "{:.0f}"},
                               {"seconds an image", "seconds_per_image", "{:.4f}"}};

constexpr const char* kCaption =
    "Means over the images for which the change was found; shares in the first columns, cycle error, mask "
    "and "
    "time are over all.";

std::string cell_of_way(const nlohmann::json& way, const Column& column) {
  if (!way.contains(column.name)) return "";
  const double value = way.at(column.name).get<double>();
  const std::string form = column.form;
  return form.empty() ? fmt::format("{:.1f} %", 100 * value) : fmt::format(fmt::runtime(form), value);
}

}  // namespace

bool changes_the_image(const Way& way) {
  return way.name == "translation" || way.name.starts_with("adversarial");
}

Cases cases_of(const Tensor& answers, const std::vector<std::string>& class_names,
               const std::string& target) {
  const Tensor first = answers.select(1, 0).contiguous();
  const Tensor all = at::arange(first.size(0), first.options());
  if (target == "second") return {all, first, answers.select(1, 1).contiguous(), 0};
  if (target == "every") {
    const auto classes = std::ssize(class_names);
    const Tensor rows = all.repeat_interleave(classes),
                 to = at::arange(classes, first.options()).repeat({first.size(0)});
    const Tensor others = to.ne(first.index_select(0, rows)).nonzero().squeeze(1);
    return {rows.index_select(0, others), first.index_select(0, rows).index_select(0, others),
            to.index_select(0, others), 0};
  }
  const std::int64_t wanted = class_named(target, class_names);
  const Tensor rows = first.ne(wanted).nonzero().squeeze(1);
  if (rows.size(0) == 0)
    throw NothingToMorph(fmt::format("the classifier calls {} {} already; morph to another class",
                                     first.size(0) == 1 ? "this image" : "all of these images", target));
  return {rows, first.index_select(0, rows), at::full_like(rows, wanted), first.size(0) - rows.size(0)};
}

void require_target(const std::string& key, const std::string& target,
                    const std::vector<std::string>& class_names) {
  if (target == "second" || target == "every" || std::ranges::find(class_names, target) != class_names.end())
    return;
  const std::vector<std::string_view> names(class_names.begin(), class_names.end());
  fail_usage("{} is '{}'{}, but must be \"second\", \"every\" or one of {}", key, target,
             did_you_mean(target, names), fmt::join(class_names, ", "));
}

Way adversarial_way(const models::Classifier& classifier, const Tensor& images, const Tensor& from,
                    const Tensor& to, counterfactual::Ball ball, double entropy) {
  counterfactual::AdversarialOptions options;
  options.ball = ball;
  options.entropy = entropy;
  const counterfactual::AdversarialChanges found =
      counterfactual::change_pixels(classifier, images, from, to, options);
  Way way;
  way.name = ball == counterfactual::Ball::l2 ? "adversarial_l2" : "adversarial_linf";
  way.title = fmt::format("adversarial pixels, {}", counterfactual::name_of(ball));
  way.after = found.images;
  way.found = found.found;
  way.iterations = found.steps;
  way.seconds = found.seconds;
  return way;
}

Way translation_way(const models::Classifier& classifier, const models::Translator& translator,
                    const Tensor& images, const Tensor& from, const Tensor& to, double entropy) {
  const at::NoGradGuard no_grad;
  const auto begun = std::chrono::steady_clock::now();
  std::vector<Tensor> after, masks;
  flow::for_batches(images.size(0), flow::kBatch, [&](std::int64_t first, std::int64_t count) {
    const models::Translation own =
        translator.translate_to(images.narrow(0, first, count), to.narrow(0, first, count));
    after.push_back(own.images);
    masks.push_back(own.mask);
  });
  Way way;
  way.name = "translation";
  way.title = "translation";
  way.after = at::cat(after);
  way.mask = at::cat(masks);
  way.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  std::vector<Tensor> logits, cycle;
  flow::for_batches(images.size(0), flow::kBatch, [&](std::int64_t first, std::int64_t count) {
    const Tensor own = way.after.narrow(0, first, count);
    logits.push_back(classifier.logits(own));
    const Tensor back = translator.translate_to(own, from.narrow(0, first, count)).images;
    cycle.push_back((back - images.narrow(0, first, count)).abs().flatten(1).mean(1));
  });
  const Tensor answers = at::cat(logits);
  way.found = answers.argmax(1).eq(to);
  way.finished = counterfactual::is_finished(answers, from, to, entropy);
  way.entropy = counterfactual::two_class_entropy(answers, from, to);
  way.cycle = at::cat(cycle);
  return way;
}

nlohmann::json to_json(const Way& way) {
  nlohmann::json json = {{"title", way.title},
                         {"failed", 1 - mean_over_cases(way.found)},
                         {"seconds_per_image", way.seconds / static_cast<double>(way.found.size(0))}};
  if (way.iterations.defined()) json["iterations"] = mean_over_cases(way.iterations);
  if (way.finished.defined()) json["unfinished"] = 1 - mean_over_cases(way.finished);
  if (way.entropy.defined()) json["entropy"] = mean_over_cases(way.entropy);
  if (way.cycle.defined()) json["cycle"] = mean_over_cases(way.cycle);
  if (way.mask.defined()) json["mask"] = mean_over_cases(way.mask);
  add_measures(json, way.judged, way.found);
  return json;
}

std::vector<const nlohmann::json*> ways_in(const nlohmann::json& metrics) {
  std::vector<const nlohmann::json*> ways;
  for (const char* name : {"morph", "translation", "counterfactual", "adversarial_l2", "adversarial_linf"})
    if (metrics.at("ways").contains(name)) ways.push_back(&metrics.at("ways").at(name));
  return ways;
}

report::Table table_of_ways(const std::vector<const nlohmann::json*>& ways, const nlohmann::json& unchanged) {
  std::vector<Column> columns;
  for (const Column& column : kColumns)
    if (std::ranges::any_of(ways, [&](const nlohmann::json* way) { return way->contains(column.name); }))
      columns.push_back(column);
  report::Table table{{"change"}, {}, kCaption};
  for (const Column& column : columns) table.header.emplace_back(column.heading);
  const auto add = [&](const nlohmann::json& way) {
    table.rows.push_back({way.at("title").get<std::string>()});
    for (const Column& column : columns) table.rows.back().push_back(cell_of_way(way, column));
  };
  for (const nlohmann::json* way : ways) add(*way);
  if (!unchanged.is_null()) add(unchanged);
  return table;
}

std::string lines_of_ways(const nlohmann::json& metrics, const std::vector<std::string_view>& columns) {
  std::string lines = fmt::format("{:<28}", "change");
  for (const std::string_view column : columns) lines += fmt::format(" {:>12.12}", column);
  lines += '\n';
  for (const nlohmann::json* way : ways_in(metrics)) {
    lines += fmt::format("{:<28}", way->at("title").get<std::string>());
    for (const std::string_view column : columns)
      lines += fmt::format(" {:>12}",
                           way->contains(column) ? fmt::format("{:.4g}", way->at(column).get<double>()) : "");
    lines += '\n';
  }
  return lines;
}

}  // namespace whence::kinds
