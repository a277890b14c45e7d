#include <map>

#include "data/layout.h"
#include "whence/core/error.h"
#include "whence/data/fetch.h"

namespace whence::data {
namespace {

/// Four IDX files, in the order train images, train labels, test images, test labels.
Publication idx_publication(std::vector<std::string> homes, const std::array<std::int64_t, 4>& bytes,
                            const std::array<std::string_view, 4>& digests) {
  static constexpr std::array packed = {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                                        "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"};
  static constexpr std::array names = {idx_train_images, idx_train_labels, idx_test_images, idx_test_labels};
  Publication publication{std::move(homes), {}, {}};
  for (std::size_t i = 0; i < names.size(); ++i) {
    publication.downloads.push_back({packed[i], bytes[i], digests[i]});
    publication.files.push_back({names[i], digests[i]});
  }
  return publication;
}

Publication mnist() {
  return idx_publication(
      {"https://ossci-datasets.s3.amazonaws.com/mnist/",
       "https://storage.googleapis.com/cvdf-datasets/mnist/", "http://yann.lecun.com/exdb/mnist/"},
      {9'912'422, 28'881, 1'648'877, 4'542},
      {"ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
       "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
       "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
       "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"});
}

Publication fashion_mnist() {
  return idx_publication(
      {"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
       "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"},
      {26'421'880, 29'515, 4'422'102, 5'148},
      {"c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
       "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
       "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
       "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"});
}

Publication notmnist() {
  return {{"http://yaroslavvb.com/upload/notMNIST/", "http://commondatastorage.googleapis.com/books1000/"},
          {{"notMNIST_small.tar.gz", 8'458'043, "c9890a473a9769fda4bdf314aaf500dd"}},
          {}};
}

Publication cifar10() {
  return {{"https://www.cs.toronto.edu/~kriz/"},
          {{"cifar-10-binary.tar.gz", 170'052'171,
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"}},
          {{cifar_train[0], "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"},
           {cifar_train[1], "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"},
           {cifar_train[2], "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"},
           {cifar_train[3], "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"},
           {cifar_train[4], "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"},
           {cifar_test, "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"}}};
}

Publication sst() {
  return {{"https://nlp.stanford.edu/sentiment/"},
          {{"trainDevTestTrees_PTB.zip", 789'539,
            "5c613a4f673fc74097d523a2c83f38e0cc462984d847b82c7aaf36b01cbbbfcc"}},
          {{tree_files[0], "e2f3f41b0b1e6d4dddc0effe3bfc2d27ed8928079aa9a03d652311614fc5feb7"},
           {tree_files[1], "0e9336aed6e4730e19f58d00a77b3f0297efdb755f7b5e598c98a05e3f97ea40"},
           {tree_files[2], "6e54806dee95cf80cd918e7dfb3f6770f6df24bf826f289a4d1f709e1c8f6761"}}};
}

}  // namespace

const Publication& publication(const KnownSet& set) {
  static const std::map<std::string_view, Publication> table = {{"mnist", mnist()},
                                                                {"fashion-mnist", fashion_mnist()},
                                                                {"notmnist", notmnist()},
                                                                {"cifar10", cifar10()},
                                                                {"sst", sst()}};
  return table.at(set.name);
}

}  // namespace whence::data
