#include "whence/explain/counterfactual/judgement.h"

#include "explain/flow/classify.h"
#include "whence/explain/flow/linear_reference.h"

namespace whence::counterfactual {
namespace {

using at::Tensor;

constexpr double kTiny = 1e-6;

ClassAutoencoders::Linear fit(const data::Dataset& images, std::int64_t components,
                              at::Generator& generator) {
  const flow::LinearReference model = flow::fit_linear(images, components, generator);
  return {model.mean, model.directions};
}

Tensor squared(const Tensor& difference) { return difference.square().flatten(1).sum(1); }

/// Keeps the `count` least of what it has seen for each row.
struct Nearest {
  Tensor distances, labels;  // (n, up to count)

  void see(const Tensor& more, const Tensor& their_labels, std::int64_t count) {
    const Tensor all = distances.defined() ? at::cat({distances, more}, 1) : more;
    const Tensor names = their_labels.unsqueeze(0).expand({more.size(0), -1});
    const Tensor all_labels = labels.defined() ? at::cat({labels, names}, 1) : names;
    const auto [least, at] = all.topk(std::min(count, all.size(1)), 1, /*largest=*/false);
    distances = least;
    labels = all_labels.gather(1, at);
  }
};

/// Undefined where nothing is known of the data.
Tensor neighbours_of(const Judges& judges, const Tensor& after, const Tensor& to) {
  if (judges.model == nullptr && judges.images == nullptr) return {};
  Nearest nearest;
  const Tensor rows = after.flatten(1), own = rows.square().sum(1, true);
  const Tensor& labels = judges.model != nullptr ? judges.model->known.labels : judges.images->labels;
  flow::for_batches(labels.size(0), flow::kBatch, [&](std::int64_t first, std::int64_t size) {
    const Tensor seen = (judges.model != nullptr
                             ? judges.model->decoder.decode(judges.model->known.codes.narrow(0, first, size))
                             : judges.images->images.narrow(0, first, size))
                            .flatten(1);
    const Tensor distance = own + seen.square().sum(1).unsqueeze(0) - 2 * rows.matmul(seen.t());
    nearest.see(distance, labels.narrow(0, first, size), judges.neighbours);
  });
  return nearest.labels.eq(to.unsqueeze(1)).to(at::kFloat).mean(1);
}

}  // namespace

at::Tensor ClassAutoencoders::Linear::reconstruct(const at::Tensor& x) const {
  return mean + (x - mean).matmul(directions).matmul(directions.t());
}

ClassAutoencoders fit_class_autoencoders(const data::Dataset& train, std::int64_t components,
                                         std::int64_t images, at::Generator& generator) {
  const at::NoGradGuard no_grad;
  ClassAutoencoders result;
  for (std::int64_t label = 0; label < train.classes(); ++label) {
    const data::Dataset own = data::select_classes(train, {label});
    result.of_class.push_back(
        fit(data::pick(own, data::sample_rows(own, images, generator)), components, generator));
  }
  result.of_all = fit(data::pick(train, data::sample_rows(train, images * train.classes(), generator)),
                      components, generator);
  return result;
}

Judgement judge(const Judges& judges, const at::Tensor& before, const at::Tensor& after,
                const at::Tensor& from, const at::Tensor& to) {
  TORCH_CHECK(before.sizes() == after.sizes() && from.size(0) == after.size(0) && to.size(0) == after.size(0),
              "one class and one image before for each image after, got ", before.sizes(), " and ",
              after.sizes());
  const at::NoGradGuard no_grad;
  std::vector<Tensor> transfers, reencoding, first_measure, second_measure;
  flow::for_batches(after.size(0), flow::kBatch, [&](std::int64_t first, std::int64_t count) {
    const Tensor x = after.narrow(0, first, count), own_to = to.narrow(0, first, count),
                 own_from = from.narrow(0, first, count);
    if (const ImageModel* model = judges.model; model != nullptr)
      reencoding.push_back(squared(model->decoder.decode(model->encoder.encode(x).mean) - x));
    if (judges.independent != nullptr)
      transfers.push_back(flow::probabilities_of(*judges.independent, x).argmax(1).eq(own_to));
    if (judges.autoencoders == nullptr) return;
    const ClassAutoencoders& models = *judges.autoencoders;
    const Tensor flat = x.flatten(1), of_all = models.of_all.reconstruct(flat);
    Tensor im1 = at::empty({count}, flat.options()), im2 = at::empty_like(im1);
    for (std::int64_t i = 0; i < count; ++i) {
      const Tensor row = flat.narrow(0, i, 1);
      const auto of = [&](const Tensor& label) {
        return models.of_class[static_cast<std::size_t>(label[i].item<std::int64_t>())].reconstruct(row);
      };
      const Tensor as_new = of(own_to);
      im1[i] = (row - as_new).square().sum() / ((row - of(own_from)).square().sum() + kTiny);
      im2[i] = (as_new - of_all.narrow(0, i, 1)).square().sum() / (row.abs().sum() + kTiny);
    }
    first_measure.push_back(im1);
    second_measure.push_back(im2);
  });
  const auto joined = [](const std::vector<Tensor>& parts) {
    return parts.empty() ? Tensor() : at::cat(parts);
  };
  return {joined(transfers),     neighbours_of(judges, after, to),
          joined(reencoding),    (after - before).flatten(1).norm(2, 1),
          joined(first_measure), joined(second_measure)};
}

}  // namespace whence::counterfactual
