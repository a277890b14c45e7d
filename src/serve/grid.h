// The test images that fit a question.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "serve/query.h"
#include "serve/subject.h"

namespace whence::serve {

/// Rows of the first subject that fit: label, answer (numbers of classes), right ("yes", "no"), least and most (confidence, 0 to 1), differ
/// ("yes", "no": whether `other` answers otherwise), order ("number", "rising", "falling": by confidence), first and count (of what is
/// returned). {"total", "rows": [{"row", "label", "answer", "confidence", "other", "other_confidence"}]}. `other` may be null.
/// Errors (BadRequest): other values; differ without another subject.
nlohmann::json grid(const Subject& subject, const Answers& answers, const Answers* other,
                    const Parameter& parameter);

/// Bytes (n, C, H, W) of test images.
std::string pixels_of(const Subject& subject, const std::vector<std::int64_t>& rows);

}  // namespace whence::serve
