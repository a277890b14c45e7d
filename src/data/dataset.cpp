#include "whence/data/dataset.h"

#include "whence/core/error.h"

namespace whence::data {
namespace {

std::string list_of_classes(const Dataset& dataset) {
  std::string list;
  for (std::size_t i = 0; i < dataset.class_names.size(); ++i) {
    const std::string number = std::to_string(i);  // digits are named by it
    list += fmt::format("{}{}", i == 0 ? "" : ", ", number);
    if (dataset.class_names[i] != number) list += " " + dataset.class_names[i];
  }
  return list;
}

/// The images before they are rows of a batch: (n, C, H, W) bytes as float32 in [0, 1].
at::Tensor as_float(const at::Tensor& bytes) {
  const auto options = bytes.options().dtype(at::kFloat).memory_format(at::MemoryFormat::ChannelsLast);
  return at::empty(bytes.sizes(), options).copy_(bytes).div_(255);
}

}  // namespace

Dataset select_classes(const Dataset& dataset, const std::vector<std::int64_t>& classes) {
  constexpr std::int64_t dropped = -1;
  Dataset selected;
  const at::Tensor new_labels = at::full({std::max<std::int64_t>(dataset.classes(), 1)}, dropped, at::kLong);
  for (const std::int64_t label : classes) {
    if (label < 0 || label >= dataset.classes()) {
      fail_usage("class {} does not exist; the classes are {}", label, list_of_classes(dataset));
    }
    const std::string& name = dataset.class_names[static_cast<std::size_t>(label)];
    if (new_labels[label].item<std::int64_t>() != dropped)
      fail_usage("class {} ({}) is named twice", label, name);
    if (!dataset.labels.eq(label).any().item<bool>()) fail("class {} ({}) has no image", label, name);
    new_labels[label] = selected.classes();
    selected.class_names.push_back(name);
  }
  const at::Tensor relabelled = new_labels.index_select(0, dataset.labels);
  const at::Tensor kept = relabelled.ne(dropped).nonzero().squeeze(1);
  selected.images = dataset.images.index_select(0, kept);
  selected.labels = relabelled.index_select(0, kept);
  return selected;
}

Dataset slice(const Dataset& dataset, std::int64_t first, std::int64_t count) {
  TORCH_CHECK(first >= 0 && count >= 0 && first + count <= dataset.size(), "slice ", first, " + ", count,
              " of ", dataset.size(), " images");
  return {dataset.images.narrow(0, first, count), dataset.labels.narrow(0, first, count),
          dataset.class_names};
}

Dataset join(const Dataset& first, const Dataset& second) {
  TORCH_CHECK(first.class_names == second.class_names, "joining data sets of different classes");
  return {at::cat({first.images, second.images}), at::cat({first.labels, second.labels}), first.class_names};
}

Dataset pick(const Dataset& dataset, const at::Tensor& rows) {
  return {dataset.images.index_select(0, rows), dataset.labels.index_select(0, rows), dataset.class_names};
}

at::Tensor sample_rows(const Dataset& dataset, std::int64_t count, at::Generator& generator) {
  TORCH_CHECK(count >= 0, "a sample of ", count, " images");
  if (count == 0 || count >= dataset.size()) return at::arange(dataset.size(), at::kLong);
  return at::randperm(dataset.size(), generator, at::kLong).narrow(0, 0, count);
}

at::Tensor to_float(const Dataset& dataset, const at::Tensor& indices, std::optional<at::Device> device) {
  const at::Tensor rows = dataset.images.index_select(0, indices.to(dataset.images.device()));
  return as_float(rows.to(device.value_or(rows.device())));
}

at::Tensor to_float(const Dataset& dataset, std::int64_t first, std::int64_t count,
                    std::optional<at::Device> device) {
  const at::Tensor rows = dataset.images.narrow(0, first, count);
  return as_float(rows.to(device.value_or(rows.device())));
}

at::Tensor to_float(const Dataset& dataset) { return as_float(dataset.images); }

}  // namespace whence::data
