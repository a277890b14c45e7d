#include "whence/explain/visualization/measures.h"

#include <ATen/ATen.h>

#include <functional>

#include "whence/core/error.h"
#include "whence/platform/interrupt.h"

namespace whence::visualization {
namespace {

constexpr double kQuantile = 0.99;

at::Tensor in_batches(std::int64_t rows, std::int64_t batch,
                      const std::function<at::Tensor(std::int64_t first, std::int64_t count)>& body) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> parts;
  for (std::int64_t first = 0; first < rows; first += batch) {
    throw_if_interrupted();
    parts.push_back(body(first, std::min(batch, rows - first)));
  }
  return at::cat(parts);
}

void check_two(const at::Tensor& images) {
  if (images.size(0) < 2)
    fail("the data have {} image; 2 or more are needed to compare with", images.size(0));
}

/// Euclidean distances between rows, float64: nearby images differ in few digits.
at::Tensor apart(const at::Tensor& a, const at::Tensor& b) {
  return at::cdist(a.flatten(1).to(at::kDouble), b.flatten(1).to(at::kDouble));
}

}  // namespace

DataResponse response_of_data(const Response& response, const at::Tensor& images, std::int64_t k,
                              std::int64_t batch) {
  check_two(images);
  const at::Tensor values = in_batches(images.size(0), batch, [&](std::int64_t first, std::int64_t count) {
    return response(images.narrow(0, first, count));
  });
  k = std::min(k, images.size(0));
  const at::Tensor deviation = values.std(at::IntArrayRef{0}, /*unbiased=*/true);
  return {at::quantile(values.to(at::kDouble), kQuantile, 0).to(values.scalar_type()),
          at::where(deviation > 0, deviation, at::ones_like(deviation)),
          std::get<1>(values.topk(k, 0)).t().contiguous(),
          std::get<1>(values.topk(k, 0, /*largest=*/false)).t().contiguous()};
}

Distance distance_to_data(const at::Tensor& images, const at::Tensor& data) {
  check_two(data);
  const double side = std::sqrt(static_cast<double>(data[0].numel()));
  const auto nearest = [&](const at::Tensor& from, bool own) {
    return in_batches(from.size(0), 256, [&](std::int64_t first, std::int64_t count) {
      at::Tensor distances = apart(from.narrow(0, first, count), data);
      if (own) distances.diagonal(first).fill_(std::numeric_limits<double>::infinity());
      return distances.amin(1) / side;
    });
  };
  return {nearest(images, false), nearest(data, true).median().item<double>()};
}

double transfer(const at::Tensor& seen, const at::Tensor& classes) {
  return seen.eq(classes.unsqueeze(1)).to(at::kDouble).mean().item<double>();
}

at::Tensor class_directions(const models::Classifier& classifier, const std::string& layer,
                            const at::Tensor& images, const at::Tensor& labels, std::int64_t batch) {
  const std::int64_t channels = channels_of(classifier, layer);
  std::vector<std::int64_t> all(static_cast<std::size_t>(channels));
  for (std::int64_t channel = 0; channel < channels; ++channel)
    all[static_cast<std::size_t>(channel)] = channel;
  const Response response(
      classifier, {.goal = Goal::channel, .layer = layer, .units = all, .place = {}, .directions = {}});
  const at::Tensor values = in_batches(images.size(0), batch, [&](std::int64_t first, std::int64_t count) {
    return response(images.narrow(0, first, count));
  });
  const at::Tensor mean = values.mean(0);
  std::vector<at::Tensor> rows;
  for (std::int64_t label = 0; label < classifier.classes(); ++label) {
    const at::Tensor own = labels.eq(label).nonzero().squeeze(1);
    at::Tensor row = own.size(0) > 0 ? values.index_select(0, own).mean(0) - mean : at::zeros_like(mean);
    if (!(row.norm().item<double>() > 0)) row[0] = 1;
    rows.push_back(row);
  }
  return at::stack(rows);
}

}  // namespace whence::visualization
