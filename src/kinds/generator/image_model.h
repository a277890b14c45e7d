// What is measured and shown of any autoencoder, an explanation's or one that was trained alone.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "experiment/figures.h"
#include "experiment/session.h"
#include "whence/explain/flow/ablation.h"

namespace whence::kinds {

using experiment::Session;

/// "bound": SSE + KL of each image, (N).
constexpr const char* kTestBounds = "test-bounds.safetensors";
constexpr const char* kValidationBounds = "validation-bounds.safetensors";
/// The stage that measures a plain autoencoder on validation images, on demand.
constexpr std::string_view kGeneratorValidation = "generator-validation";

/// In front of the classes, where borders show what the classifier says; with numbers below the images, how surely.
constexpr const char* kBorders = "The classifier's answer:";
constexpr const char* kBordersAndNumbers = "The classifier's answer (below: its probability):";

/// {"sse", "kl", "se"}
nlohmann::json to_json(const flow::Fidelity& fidelity);
/// So that runs can be compared image by image.
void save_bounds(const Session& session, const char* file, const flow::Fidelity& fidelity);
/// What the best linear image model would reach, for comparison: {"linear"}.
experiment::StageResult linear_reference(Session& session);

/// Originals, reconstructions and both predicted classes: `stem`.png and `stem`.svg.
void draw_reconstructions(const models::Encoder& encoder, const models::Decoder& decoder,
                          const models::Classifier& classifier, const experiment::Samples& samples,
                          const std::vector<std::string>& class_names, const std::filesystem::path& stem);

/// Reconstructions, and what the best linear model (`linear` of a kind's object in metrics.json, where there is one) would reach.
std::vector<std::string> image_model_paragraphs(const nlohmann::json& metrics);

}  // namespace whence::kinds
