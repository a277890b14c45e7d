// Images that fall into 2 x 2 cells. Of the disconnected cells each feeds one logit, and no layer joins them (DiFull; Rao, Böhle and
// Schiele 2022): what is outside of the explained cell cannot matter.
#include "explain/attribution/truth/problems.h"
#include "whence/core/random.h"

namespace whence::attribution::truth {
namespace {

constexpr std::int64_t kCellsSide = 16, kCellCount = 4, kChannels = 16;

nn::Network network_of_cells(std::uint64_t seed) {
  nn::Network network("cells", {1, kCellsSide, kCellsSide});
  network.add("conv1", nn::Conv2d{8, 4, 4});
  network.add("relu1", nn::Relu{});
  network.add("conv2", nn::Conv2d{kChannels, 2, 2});
  network.add("relu2", nn::Relu{});
  network.add("flatten", nn::Flatten{});  // channel by channel, four cells each
  network.add("logits", nn::Linear{kCellCount});
  Generator generator = make_generator(seed, "attribution/truth/cells/weights");
  nn::initialise(network, {.keeps_size = true}, generator);
  const at::Tensor own = at::randn({kCellCount, kChannels}, generator, options_of(at::kFloat)) * 0.25;
  set_parameter(network, "logits.weight",
                (own.unsqueeze(2) * at::eye(kCellCount, own.options()).unsqueeze(1)).contiguous());
  return network;
}

/// 1 in the cell, 0 elsewhere, (N, 1, side, side).
at::Tensor only_cell(const at::Tensor& cell, std::int64_t side) {
  const at::Tensor place = at::arange(side, options_of(at::kLong)).div(side / 2, "floor");
  const at::Tensor of_pixel = 2 * place.unsqueeze(1) + place;
  return (of_pixel == cell.view({-1, 1, 1, 1})).to(at::kFloat);
}

}  // namespace

Making disconnected_cells(const TruthRequest& request) {
  const std::int64_t images = request.images;
  Generator generator = make_generator(request.seed, "attribution/truth/cells");
  const at::Tensor all = at::rand({2 * images, 1, kCellsSide, kCellsSide}, generator, options_of(at::kFloat));
  TruthCase made;
  made.classifier = models::as_classifier(network_of_cells(request.seed));
  made.images = all.narrow(0, 0, images);
  made.references = all.narrow(0, images, images);
  made.target = at::randint(kCellCount, {images}, generator, options_of(at::kLong));
  made.truth = only_cell(made.target, kCellsSide);
  return made;
}

}  // namespace whence::attribution::truth
