#include "whence/data/text/batches.h"

#include "whence/core/error.h"
#include "whence/core/random.h"

namespace whence::data {

TextBatches::TextBatches(const at::Tensor& numbers, std::int64_t batch_size, std::uint64_t seed)
    : numbers_(numbers), batch_size_(batch_size), seed_(seed) {
  if (numbers.size(0) == 0) fail("there is no text to make batches of");
  const at::Tensor lengths = lengths_of(numbers);
  for (std::int64_t length = 1; length <= numbers.size(1); ++length) {
    const at::Tensor rows = lengths.eq(length).nonzero().squeeze(1);
    if (rows.size(0) == 0) continue;
    by_length_.emplace_back(length, rows);
    per_epoch_ += (rows.size(0) + batch_size - 1) / batch_size;
  }
}

TextBatch TextBatches::at(std::int64_t index) {
  const std::int64_t epoch = index / per_epoch_;
  if (epoch != epoch_) {
    at::Generator generator = make_generator(seed_, fmt::format("data/text-batches/{}", epoch));
    std::vector<TextBatch> in_order;
    for (const auto& [length, rows] : by_length_) {
      const at::Tensor shuffled = rows.index_select(0, at::randperm(rows.size(0), generator, at::kLong));
      for (const at::Tensor& part : shuffled.split(batch_size_))
        in_order.push_back({numbers_.index_select(0, part).narrow(1, 0, length), part});
    }
    const at::Tensor order = at::randperm(per_epoch_, generator, at::kLong);
    batches_.clear();
    for (std::int64_t i = 0; i < per_epoch_; ++i)
      batches_.push_back(in_order[static_cast<std::size_t>(order[i].item<std::int64_t>())]);
    epoch_ = epoch;
  }
  return batches_[static_cast<std::size_t>(index % per_epoch_)];
}

}  // namespace whence::data
