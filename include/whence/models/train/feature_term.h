// A term of an autoencoder's loss: reconstructions should look to a classifier as their images do.
#pragma once

#include <string>
#include <vector>

#include "whence/models/roles.h"
#include "whence/models/train/vae.h"

namespace whence::models {

/// Of a classifier of images H x W: the last layers whose maps are H/2, H/4 and H/8 high, those that there are. Errors (usage): a
/// classifier whose layers are not known, or without such maps.
std::vector<std::string> feature_layers(const Classifier& classifier);

/// The sum over the layers of mean(((f(reconstruction) - f(image)) / deviation)^2): f is the layer's output, deviation that of each
/// channel over `images` (n, C, H, W) and places, the mean over all of a layer's values. (Johnson et al. 2016 call it feature
/// reconstruction loss.) The reading is called "features". The classifier stays as it is and must outlive the term; it may be used
/// by several threads at a time. Errors (usage): no such layer; layers that are not known.
ReconstructionTerm feature_term(const Classifier& classifier, const std::vector<std::string>& layers,
                                const at::Tensor& images, double weight);

}  // namespace whence::models
