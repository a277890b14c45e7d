#include "whence/data/batches.h"

#include "whence/core/error.h"
#include "whence/core/random.h"
#include "whence/platform/device.h"

namespace whence::data {

Batches::Batches(const Dataset& dataset, std::int64_t batch_size, std::uint64_t seed, bool drop_last,
                 std::optional<at::Device> device)
    : dataset_(dataset),
      batch_size_(batch_size),
      seed_(seed),
      device_(device.value_or(dataset.images.device())) {
  TORCH_CHECK(batch_size >= 1, "a batch has at least one image, not ", batch_size);
  if (dataset.size() == 0) fail("there are no images to make batches of");
  if (drop_last && dataset.size() < batch_size) {
    fail("batches of {} cannot be made of {} images; use smaller batches", batch_size, dataset.size());
  }
  per_epoch_ = drop_last ? dataset.size() / batch_size : (dataset.size() + batch_size - 1) / batch_size;
}

Batch Batches::at(std::int64_t index) {
  TORCH_CHECK(index >= 0, "batch ", index);
  const std::int64_t epoch = index / per_epoch_;
  if (epoch != epoch_) {
    Generator generator = make_generator(seed_, fmt::format("batches/epoch/{}", epoch));
    order_ = at::randperm(dataset_.size(), generator, draws_of(generator, at::kLong));
    epoch_ = epoch;
  }
  const std::int64_t first = index % per_epoch_ * batch_size_;
  const at::Tensor rows = order_.narrow(0, first, std::min(batch_size_, dataset_.size() - first));
  const at::Tensor labels = dataset_.labels.index_select(0, rows.to(dataset_.labels.device()));
  return {to_float(dataset_, rows, device_), labels.to(device_)};
}

}  // namespace whence::data
