#include "kinds/morphing/results.h"

#include "whence/core/error.h"

namespace whence::kinds {
namespace {

/// Calls `visit(name, tensor)` for every tensor of a way.
template <class OneWay, class Visit>
void for_way(OneWay& way, const Visit& visit) {
  visit("after", way.after);
  visit("found", way.found);
  visit("iterations", way.iterations);
  visit("transfers", way.judged.transfers);
  visit("neighbours", way.judged.neighbours);
  visit("reencoding", way.judged.reencoding);
  visit("distance", way.judged.distance);
  visit("interpretable", way.judged.interpretable);
  visit("likeness", way.judged.likeness);
  visit("finished", way.finished);
  visit("entropy", way.entropy);
  visit("cycle", way.cycle);
  visit("mask", way.mask);
}

/// The same for what is not of a way.
template <class Study, class Visit>
void for_study(Study& study, const Visit& visit) {
  visit("codes/codes", study.codes.codes);
  visit("codes/answers", study.codes.answers);
  visit("codes/kept", study.codes.kept);
  visit("codes/errors", study.codes.errors);
  visit("images", study.images);
  visit("rows", study.rows);
  visit("reconstructions", study.reconstructions);
  visit("residual", study.residual);
  visit("reencoding", study.reencoding);
  visit("morphs/codes", study.morphs.codes);
  visit("morphs/moved", study.morphs.moved);
  visit("morphs/from", study.morphs.from);
  visit("morphs/to", study.morphs.to);
  visit("morphs/endings", study.morphs.endings);
  visit("morphs/iterations", study.morphs.iterations);
  visit("morphs/entropy", study.morphs.entropy);
  visit("morphs/probability", study.morphs.probability);
  visit("morphs/residual", study.morphs.residual);
}

}  // namespace

experiment::Results results_of(const MorphStudy& study, std::int64_t first) {
  experiment::Results results;
  const auto keep = [&](const std::string& name, const at::Tensor& values) {
    if (values.defined()) results.rows.push_back({name, values.contiguous()});
  };
  MorphStudy placed = study;
  placed.rows = study.rows + at::Scalar(first);
  for_study(placed, keep);
  nlohmann::json ways = nlohmann::json::array();
  for (const Way& way : study.ways) {
    for_way(way,
            [&](const std::string& name, const at::Tensor& values) { keep(way.name + "/" + name, values); });
    ways.push_back({way.name, way.title});
    results.sums["seconds/" + way.name] = way.seconds;
  }
  results.sums["left out"] = static_cast<double>(study.left_out);
  results.about = {{"ways", ways}, {"target", study.target}};
  return results;
}

experiment::Results left_out_results(std::int64_t images) {
  experiment::Results results;
  results.sums["left out"] = static_cast<double>(images);
  return results;
}

MorphStudy study_of(const experiment::Results& results) {
  if (results.rows.empty())
    fail_usage("all of the images are of the asked class already; morph to another class");
  MorphStudy study;
  for_study(study, [&](const std::string& name, at::Tensor& values) { values = results.row(name); });
  for (const auto& [name, title] :
       results.about.at("ways").get<std::vector<std::pair<std::string, std::string>>>()) {
    Way& way = study.ways.emplace_back();
    way.name = name;
    way.title = title;
    way.seconds = results.sums.at("seconds/" + name);
    for_way(way, [&](const std::string& tensor, at::Tensor& values) {
      values = results.row(name + "/" + tensor);
    });
  }
  study.morphs.seconds = study.ways.front().seconds;
  study.left_out = static_cast<std::int64_t>(results.sums.at("left out"));
  results.about.at("target").get_to(study.target);
  return study;
}

}  // namespace whence::kinds
