// Four images of CIFAR-10 side by side (GridPG; Böhle, Fritz and Schiele 2021): the classifier has seen single images only, averages over the
// map, and gets each of the four right with much confidence; so what speaks for a class should lie in its cell.
#include "explain/attribution/passes.h"
#include "explain/attribution/truth/problems.h"
#include "whence/core/random.h"

namespace whence::attribution::truth {
namespace {

constexpr std::int64_t kPictureSide = 32, kPictures = 4, kTrained = 6000;
/// Grids are four times as large as images, and most methods need many passes.
constexpr std::int64_t kMostGrids = 16;

nn::Network grid_network(std::int64_t side) {
  nn::Network network("grid", {3, side, side});
  network.add("conv1", nn::Conv2d{24, 5, 2, 2});
  network.add("relu1", nn::Relu{});
  network.add("conv2", nn::Conv2d{48, 3, 1, 1});
  network.add("relu2", nn::Relu{});
  network.add("pool", nn::MaxPool2d{2, 2});
  network.add("conv3", nn::Conv2d{64, 3, 1, 1});
  network.add("relu3", nn::Relu{});
  network.add("average", nn::GlobalAvgPool2d{});
  network.add("flatten", nn::Flatten{});
  network.add("logits", nn::Linear{kPictures});
  return network;
}

/// For each class the rows of the images that are most surely of it, (classes, count).
at::Tensor surest(const models::Classifier& classifier, const data::Dataset& test, std::int64_t count) {
  const at::Tensor all = data::to_float(test);
  std::vector<at::Tensor> rows;
  for (std::int64_t label = 0; label < kPictures; ++label) {
    const at::Tensor own = (test.labels == label).nonzero().flatten();
    const at::Tensor sure = scores_of(classifier, all.index_select(0, own),
                                      at::full({own.size(0)}, label, own.options()), Score::probability);
    rows.push_back(own.index_select(0, std::get<1>(sure.topk(count))));
  }
  return at::stack(rows);
}

/// One image of each class in a random order: the grids, and in which cell each class lies, (count, classes).
std::pair<at::Tensor, at::Tensor> grids_of(const at::Tensor& images, Generator& generator) {
  std::vector<at::Tensor> grids, cells;
  for (std::int64_t i = 0; i < images.size(1); ++i) {
    const at::Tensor order = at::randperm(kPictures, generator, options_of(at::kLong));
    const at::Tensor own = images.select(1, i).index_select(0, order);
    grids.push_back(at::cat({at::cat({own[0], own[1]}, 2), at::cat({own[2], own[3]}, 2)}, 1));
    cells.push_back(order.argsort(0, false));
  }
  return {at::stack(grids), at::stack(cells)};
}

}  // namespace

Making picture_grid(const TruthRequest& request) {
  if (request.pictures == nullptr) return std::nullopt;
  const data::Splits& splits = *request.pictures;
  Generator generator = make_generator(request.seed, "attribution/truth/grid");
  const data::Dataset train = data::pick(splits.train, data::sample_rows(splits.train, kTrained, generator));
  nn::Network network = grid_network(kPictureSide);
  models::train_classifier(network, train, training_with(0.004, 6, request.seed), request.progress);
  const auto single = models::as_classifier(network);
  nn::Network wide = grid_network(2 * kPictureSide);
  wide.load_state(network.state());
  TruthCase made;
  made.accuracy = models::accuracy(*single, splits.test);
  made.classifier = models::as_classifier(wide);
  const std::int64_t count = std::min(request.images, kMostGrids);
  const at::Tensor rows = surest(*single, splits.test, count);
  const auto [grids, cells] = grids_of(data::to_float(splits.test, rows.flatten())
                                           .contiguous()
                                           .view({kPictures, count, 3, kPictureSide, kPictureSide}),
                                       generator);
  made.images = grids.contiguous();
  made.target = at::randint(kPictures, {count}, generator, options_of(at::kLong));
  const at::Tensor cell = cells.gather(1, made.target.unsqueeze(1)).view({-1, 1, 1, 1});
  const at::Tensor place = at::arange(2 * kPictureSide, options_of(at::kLong)).div(kPictureSide, "floor");
  made.truth = ((2 * place.unsqueeze(1) + place) == cell).to(at::kFloat);
  made.references = made.images.flip(0).contiguous();
  return made;
}

}  // namespace whence::attribution::truth
