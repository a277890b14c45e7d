// The stages of a run: experiment's own, and those of the kinds between them.
#pragma once

#include "experiment/kind.h"
#include "whence/data/dataset.h"

namespace whence::experiment {

/// data, classifier, every stage of every kind, figures, report: in the order of execution.
std::vector<Stage> stages(const Kinds& kinds);
/// Not so where its kind was not requested.
bool is_asked(const Stage& stage, const config::Values& values);
/// The last of a recipe's trainings.
std::string_view last_training(const Kinds& kinds, const config::Values& values);

/// Hashes of images and labels.
nlohmann::json content_of(const data::Dataset& dataset);
/// In which precision a stage judges trained models.
nlohmann::json judging_content(Session& session);
nlohmann::json data_content(Session& session);
StageResult data_stage(Session& session);
nlohmann::json classifier_content(Session& session);
StageResult classifier_stage(Session& session);
StageResult figures_stage(Session& session);
StageResult report_stage(Session& session);

}  // namespace whence::experiment
