// A classifier that only guesses on the images it is given: then every explanation explains nothing.
#pragma once

#include <string>

#include "whence/data/dataset.h"
#include "whence/models/roles.h"

namespace whence::models {

/// Sentences for a reader where the classifier is right no more often than the most frequent class would be (by two standard
/// errors), with what its accuracy is on images times 255 if that is better; "" where it does more than guess. `accuracy`: on
/// `images`, in [0, 1].
std::string guessing_note(const Classifier& classifier, const data::Dataset& images, double accuracy);

}  // namespace whence::models
