// What each operator of ONNX is in ATen's words: one table.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "interchange/onnx_call.h"

namespace whence::interchange {

/// Adds the operator and returns its results.
using OnnxOperator = std::vector<OnnxValue> (*)(OnnxCall& call);

struct OnnxEntry {
  std::string_view name;
  OnnxOperator add;
};

/// A name as an argument of a template.
template <std::size_t size>
struct AtenName {
  constexpr AtenName(const char (&text)[size]) { std::copy_n(text, size, letters); }
  char letters[size];
};

/// The table's parts.
std::span<const OnnxEntry> onnx_activations();
std::span<const OnnxEntry> onnx_arithmetic();
std::span<const OnnxEntry> onnx_products();
std::span<const OnnxEntry> onnx_pools();
std::span<const OnnxEntry> onnx_norms();
std::span<const OnnxEntry> onnx_reductions();
std::span<const OnnxEntry> onnx_shapes();
std::span<const OnnxEntry> onnx_parts();
std::span<const OnnxEntry> onnx_choices();
std::span<const OnnxEntry> onnx_resizings();
std::span<const OnnxEntry> onnx_recurrent();
std::span<const OnnxEntry> onnx_learning();  ///< of the domain ai.onnx.ml

/// Error (OnnxProblem): none of that name; says so of those that have no gradient.
OnnxOperator find_onnx_operator(const OnnxNode& node);

/// Operators on whole numbers in which the number of samples stands. nullopt: not one of these.
std::optional<OnnxValue> on_numbers(OnnxCall& call, std::string_view operation);

/// Notes in a result what is known of its whole numbers (OnnxValue::indices).
void note_indices(OnnxCall& call, std::string_view operation, OnnxValue& result);

}  // namespace whence::interchange
