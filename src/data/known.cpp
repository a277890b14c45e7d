#include "whence/data/known.h"

#include <fmt/ranges.h>

#include "whence/core/error.h"
#include "whence/core/names.h"

namespace whence::data {

std::span<const KnownSet> known_sets() {
  static const std::vector<KnownSet> sets = {
      {.name = "mnist",
       .title = "MNIST",
       .class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
       .archive_folder = "",
       .folders = {},
       .package = "",
       .validation_from_train = 10'000},
      {.name = "fashion-mnist",
       .title = "Fashion-MNIST",
       .class_names = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker",
                       "Bag", "Ankle boot"},
       .archive_folder = "",
       .folders = {"/usr/share/datasets/fashion-mnist"},
       .package = "dataset-fashion-mnist",
       .validation_from_test = 6'000},
      {.name = "notmnist",
       .title = "notMNIST",
       .class_names = {"A", "B", "C", "D", "E", "F", "G", "H", "I", "J"},
       .layouts = {Layout::idx, Layout::pictures},
       .archive_folder = "notMNIST_small",
       .folders = {},
       .package = "",
       .validation_from_train = 1'600},
      {.name = "cifar10",
       .title = "CIFAR-10",
       .class_names = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship",
                       "truck"},
       .layouts = {Layout::cifar},
       .archive_folder = "cifar-10-batches-bin",
       .folders = {},
       .package = "",
       .validation_from_train = 10'000},
  };
  return sets;
}

std::span<const KnownSet> known_texts() {
  static const std::vector<KnownSet> sets = {{.name = "sst",
                                              .title = "the Stanford Sentiment Treebank",
                                              .class_names = {"negative", "positive"},
                                              .layouts = {Layout::trees},
                                              .archive_folder = "trees",
                                              .folders = {},
                                              .package = ""}};
  return sets;
}

const KnownSet& known_set(std::string_view name) {
  std::vector<std::string_view> names;
  for (const KnownSet& set : known_sets()) {
    if (set.name == name) return set;
    names.push_back(set.name);
  }
  fail_usage("there is no data set '{}'{}; known are {}", name, did_you_mean(name, names),
             fmt::join(names, ", "));
}

std::string_view description_of(Layout layout) {
  switch (layout) {
    case Layout::idx:
      return "four IDX files";
    case Layout::cifar:
      return "CIFAR-10 batches";
    case Layout::trees:
      return "three files of trees";
    case Layout::pictures:
      break;
  }
  return "a folder of pictures for each class";
}

}  // namespace whence::data
