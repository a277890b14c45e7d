// What a visualization is worth: beside the responses of real images, another network, and the distance to the data.
#pragma once

#include "whence/explain/visualization/objective.h"

namespace whence::visualization {

/// What images of the data get from a response.
struct DataResponse {
  at::Tensor quantile;  ///< (U): the 99th percentile over the images
  at::Tensor spread;    ///< (U): standard deviation; 1 where all responses are equal
  at::Tensor largest,
      smallest;  ///< int64 (U, k): rows of the images with the largest responses, the largest first; the smallest
};
/// Error: fewer than two images.
DataResponse response_of_data(const Response& response, const at::Tensor& images, std::int64_t k,
                              std::int64_t batch = 256);

/// Distance of each image (N, C, H, W) to the nearest of the data, and the median distance of the data to their own nearest: both
/// the root of the mean square over values. Error: fewer than two images of data.
struct Distance {
  at::Tensor nearest;  ///< (N)
  double typical = 0;
};
Distance distance_to_data(const at::Tensor& images, const at::Tensor& data);

/// Share of pictures to which another classifier gives the class they were made for. seen: its answers, int64 (U, pictures of a unit);
/// classes: those of the units, int64 (U).
double transfer(const at::Tensor& seen, const at::Tensor& classes);

/// The mean of a layer's channels over the places of all images of each class less that over all images, (M, channels): what a
/// layer says of a class, as directions of an Objective. Classes without images get the first channel. labels int64 (N).
at::Tensor class_directions(const models::Classifier& classifier, const std::string& layer,
                            const at::Tensor& images, const at::Tensor& labels, std::int64_t batch = 256);

}  // namespace whence::visualization
