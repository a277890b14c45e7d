#include "whence/data/pictures.h"

#include <gtest/gtest.h>

#include <set>

#include "support/errors.h"
#include "unit/data/pictures_support.h"
#include "whence/data/known.h"
#include "whence/platform/machine.h"

namespace fs = std::filesystem;

namespace whence::data {
namespace {

using whence::test::content;
using whence::test::expect_error;
using whence::test::put;
using whence::test::TemporaryFolder;
using Names = std::vector<std::string>;
using Numbers = std::vector<std::int64_t>;

TEST(ReadPicture, ReadsPngAsStored) {
  const TemporaryFolder folder;
  for (const std::int64_t channels : {1, 3}) {
    const at::Tensor image = test::random_bytes({channels, 7, 5});
    test::write_png(folder / "x.jpg", image);
    EXPECT_TRUE(at::equal(read_picture(folder / "x.jpg"), image)) << "known by content, not by name";
  }
}

TEST(ReadPicture, LaysTransparencyOverWhite) {
  const TemporaryFolder folder;
  at::Tensor image = at::full({4, 1, 3}, 100, at::kByte);
  image[3] = at::tensor({255, 0, 51}, at::kByte).unsqueeze(0);
  test::write_png(folder / "x.png", image);
  EXPECT_EQ(test::to_vector(read_picture(folder / "x.png")),
            (Numbers{100, 255, 224, 100, 255, 224, 100, 255, 224}));
  test::write_png(folder / "x.png", image.narrow(0, 2, 2));
  EXPECT_EQ(test::to_vector(read_picture(folder / "x.png")), (Numbers{100, 255, 224}));
}

TEST(ReadPicture, ReadsJpeg) {
  const TemporaryFolder folder;
  for (const std::int64_t channels : {1, 3}) {
    const at::Tensor image = test::slope(channels, 16, 24);
    test::write_jpeg(folder / "x.png", image);
    const at::Tensor read = read_picture(folder / "x.png");
    ASSERT_EQ(read.sizes(), image.sizes());
    EXPECT_LE((read.to(at::kLong) - image.to(at::kLong)).abs().max().item<std::int64_t>(), 2);
  }
}

/// Left by cameras and editors; every reader passes over them.
TEST(ReadPicture, PassesOverBytesThatBelongToNothing) {
  const TemporaryFolder folder;
  test::write_jpeg(folder / "x.jpg", test::slope(3, 8, 8));
  const at::Tensor expected = read_picture(folder / "x.jpg");
  const std::string whole = content(folder / "x.jpg");
  put(folder / "x.jpg", whole.substr(0, whole.size() - 2) + "\x11\x22\x33" + whole.substr(whole.size() - 2));
  EXPECT_TRUE(at::equal(read_picture(folder / "x.jpg"), expected));
}

TEST(ReadPicture, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  const auto read = [&](const std::string& bytes) {
    put(folder / "x.png", bytes);
    read_picture(folder / "x.png");
  };
  test::write_png(folder / "whole.png", test::random_bytes({1, 9, 9}));
  test::write_jpeg(folder / "whole.jpg", test::random_bytes({3, 40, 40}));
  const std::string png = content(folder / "whole.png"), jpeg = content(folder / "whole.jpg");
  expect_error([&] { read(""); }, {"/x.png is empty"});
  expect_error([&] { read("GIF89a..."); }, {"/x.png is neither PNG nor JPEG"});
  expect_error([&] { read(png.substr(0, png.size() / 2)); }, {"/x.png is damaged (PNG: it is cut off)"});
  expect_error([&] { read(png.substr(0, 20)); }, {"/x.png is damaged (PNG: it is cut off)"});
  expect_error([&] { read(jpeg.substr(0, jpeg.size() / 2)); }, {"/x.png is damaged (JPEG: "});
  expect_error([&] { read(jpeg.substr(0, 20)); }, {"/x.png is damaged (JPEG: "});
  expect_error([&] { read_picture(folder / "none.png"); }, {"cannot read", "/none.png"});
}

TEST(ReadPicture, DoesNotAllocateWhatAHeaderMerelyPromises) {
  const TemporaryFolder folder;
  const std::int64_t before = peak_memory_bytes();
  test::write_png(folder / "x.png", at::zeros({1, 1, 60'000}, at::kByte));
  std::string bytes = content(folder / "x.png");
  bytes[22] = '\x75';  // IHDR's height, 30,000; its check sum no longer fits, which is damage as well
  put(folder / "x.png", bytes);
  expect_error([&] { read_picture(folder / "x.png"); }, {"/x.png is"});
  test::write_jpeg(folder / "x.jpg", at::zeros({1, 8, 8}, at::kByte));
  bytes = content(folder / "x.jpg");
  const std::size_t frame = bytes.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  bytes.replace(frame + 5, 4, "\xf0\xf0\xf0\xf0");
  put(folder / "x.jpg", bytes);
  expect_error([&] { read_picture(folder / "x.jpg"); }, {"61680 x 61680", "more than 64 million pixels"});
  EXPECT_LT(peak_memory_bytes() - before, 64 << 20);
}

/// Every truncation and many corruptions: an Error that names the file or a picture, nothing else.
TEST(ReadPicture, RefusesOrSurvivesDamage) {
  const TemporaryFolder folder;
  test::write_png(folder / "grey", test::random_bytes({1, 6, 7}));
  test::write_png(folder / "rgba", test::random_bytes({4, 6, 7}));
  test::write_jpeg(folder / "jpeg", test::random_bytes({3, 12, 12}));
  Generator generator = make_generator(3, "test/fuzz");
  const auto draw = [&](std::size_t range) {
    return static_cast<std::size_t>(
        at::randint(static_cast<std::int64_t>(range), {1}, generator, at::kLong).item<std::int64_t>());
  };
  const auto survives = [&](const std::string& bytes) {
    fs::remove(folder / "x");
    put(folder / "x", bytes);
    try {
      const at::Tensor image = read_picture(folder / "x");
      EXPECT_TRUE(image.size(0) == 1 || image.size(0) == 3);
      return true;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("/x is "), std::string::npos) << error.what();
      return false;
    }
  };
  for (const char* name : {"grey", "rgba", "jpeg"}) {
    const std::string whole = content(folder / name);
    for (std::size_t size = 0; size < whole.size() - 2; size += 1 + whole.size() / 150) {
      EXPECT_FALSE(survives(whole.substr(0, size))) << name << ' ' << size;
    }
    for (int trial = 0; trial < 400; ++trial) {
      std::string damaged = whole;
      for (std::size_t hits = 1 + draw(4); hits > 0; --hits)
        damaged[draw(whole.size())] = static_cast<char>(draw(256));
      survives(damaged);
    }
  }
}

TEST(ToForm, MakesGreyAndRgb) {
  const at::Tensor image = at::tensor({10, 200, 40}, at::kByte).reshape({1, 3, 1, 1});
  EXPECT_EQ(to_form(image, {{}, Colours::grey}).item<std::int64_t>(), 125);  // 2.99 + 117.4 + 4.56
  const at::Tensor grey = test::random_bytes({2, 1, 3, 3});
  EXPECT_TRUE(at::equal(to_form(grey, {{}, Colours::rgb}), at::cat({grey, grey, grey}, 1)));
  EXPECT_TRUE(at::equal(to_form(grey, {{}, Colours::grey}), grey));
  EXPECT_TRUE(at::equal(to_form(grey, {{3, 3}, Colours::as_they_are}), grey));
}

TEST(ToForm, CutsEvenlyWhatStandsOver) {
  const at::Tensor image = at::arange(24, at::kLong).to(at::kByte).reshape({1, 1, 4, 6});
  EXPECT_TRUE(at::equal(to_form(image, {{4, 4}}), image.narrow(3, 1, 4)));
  const at::Tensor tall = image.transpose(2, 3).contiguous();
  EXPECT_TRUE(at::equal(to_form(tall, {{4, 4}}), tall.narrow(2, 1, 4)));
  EXPECT_EQ(to_form(image, {{20, 10}}).sizes(), (at::IntArrayRef{1, 1, 20, 10}));
}

TEST(ToForm, KeepsTheMeanWhenItMakesImagesSmaller) {
  const at::Tensor images = test::random_bytes({1500, 1, 32, 32});
  const at::Tensor small = to_form(images, {{8, 8}});
  ASSERT_EQ(small.sizes(), (at::IntArrayRef{1500, 1, 8, 8}));
  EXPECT_NEAR(small.to(at::kDouble).mean().item<double>(), images.to(at::kDouble).mean().item<double>(), 0.5);
  EXPECT_LT(small.to(at::kDouble).std().item<double>(), 25)
      << "every source pixel counts, not only the nearest";
}

class LoadPictures : public testing::Test {
 protected:
  Splits load(const ImageForm& form = {}) {
    return load_pictures(folder_.path(), picture_classes(folder_.path()), form);
  }
  TemporaryFolder folder_;
};

/// Each image as its bytes.
std::multiset<Numbers> contents(const Dataset& dataset) {
  std::multiset<Numbers> all;
  for (std::int64_t i = 0; i < dataset.size(); ++i) all.insert(test::to_vector(dataset.images[i]));
  return all;
}

TEST_F(LoadPictures, HoldsBackAShareOfEachClass) {
  test::write_classes(folder_.path(), {"zebra", "ant"}, 40);
  put(folder_ / "ant/notes.txt", "no picture");
  put(folder_ / "labels.csv", "neither");
  fs::create_directories(folder_ / ".thumbnails");
  const Splits splits = load();
  EXPECT_EQ(splits.train.class_names, (Names{"ant", "zebra"}));
  EXPECT_EQ(test::counts(splits.test), (Numbers{6, 6}));
  EXPECT_EQ(test::counts(splits.validation), (Numbers{3, 3}));
  EXPECT_EQ(test::counts(splits.train), (Numbers{31, 31}));
  EXPECT_EQ(splits.train.images.sizes(), (at::IntArrayRef{62, 1, 4, 5}));
  std::multiset<Numbers> all;
  for (const Dataset* part : {&splits.train, &splits.validation, &splits.test}) all.merge(contents(*part));
  EXPECT_EQ(std::set<Numbers>(all.begin(), all.end()).size(), 80u) << "every picture once";
  const at::Tensor order = splits.train.labels.narrow(0, 1, 61).ne(splits.train.labels.narrow(0, 0, 61));
  EXPECT_GT(order.sum().item<std::int64_t>(), 10) << "classes are mixed";
}

TEST_F(LoadPictures, DecideByPixelsNotByNames) {
  test::write_classes(folder_.path(), {"a", "b"}, 20);
  const Splits before = load();
  for (int i = 0; i < 20; ++i) {
    const std::string number = std::to_string(i), other = std::to_string(1000 - i);
    fs::rename(folder_ / ("a/" + number + ".png"), folder_ / ("a/" + other + ".PNG"));
  }
  const Splits after = load();
  EXPECT_TRUE(at::equal(before.train.images, after.train.images));
  EXPECT_TRUE(at::equal(before.test.labels, after.test.labels));
  EXPECT_EQ(test::counts(load({{2, 2}}).test), test::counts(before.test));
}

TEST_F(LoadPictures, KeepEqualPicturesOnOneSide) {
  const at::Tensor different = test::random_bytes({5, 1, 4, 4});
  for (int i = 0; i < 50; ++i) {
    test::write_png(folder_ / ("a/" + std::to_string(i) + ".png"), different[i % 5]);
    test::write_png(folder_ / ("b/" + std::to_string(i) + ".png"),
                    test::random_bytes({1, 4, 4}, 100 + static_cast<std::uint64_t>(i)));
  }
  const Splits splits = load();
  EXPECT_EQ(test::counts(splits.test)[0], 10) << "one of five different ones, ten times";
  const auto train = contents(splits.train);
  for (const Dataset* held : {&splits.validation, &splits.test}) {
    for (const Numbers& image : contents(*held)) EXPECT_EQ(train.count(image), 0u);
  }
}

TEST_F(LoadPictures, TakeTheSplitsThatAreThere) {
  test::write_classes(folder_ / "train", {"a", "b"}, 10, 1);
  test::write_classes(folder_ / "test", {"a", "b"}, 4, 2);
  EXPECT_EQ(picture_classes(folder_.path()), (Names{"a", "b"}));
  EXPECT_EQ(test::counts(load().test), (Numbers{4, 4}));
  EXPECT_EQ(test::counts(load().train), (Numbers{9, 9}));
  test::write_classes(folder_ / "valid", {"a", "b"}, 3, 3);
  EXPECT_EQ(test::counts(load().validation), (Numbers{3, 3}));
  EXPECT_EQ(test::counts(load().train), (Numbers{10, 10}));
  EXPECT_EQ(load().note, "");
  fs::remove_all(folder_ / "test");
  EXPECT_EQ(test::counts(load().test), (Numbers{3, 3})) << "the validation images serve as test";
  EXPECT_EQ(test::counts(load().train), (Numbers{9, 9}));
  EXPECT_NE(load().note.find("valid serves as test"), std::string::npos);
  fs::remove_all(folder_ / "valid");
  expect_error([&] { load(); },
               {"has a folder train, but no folder test or validation", "give the path of train"});
}

TEST_F(LoadPictures, TakeThoseInFoldersBelowAClass) {
  test::write_classes(folder_.path(), {"a", "b"}, 10);
  const std::int64_t before = load().train.size() + load().validation.size() + load().test.size();
  test::write_png(folder_ / "a/more/evenmore/x.png", test::random_bytes({1, 4, 5}, 77));
  test::write_png(folder_ / "a/.thumbnails/x.png", test::random_bytes({1, 4, 5}, 78));
  EXPECT_EQ(load().train.size() + load().validation.size() + load().test.size(), before + 1);
  EXPECT_EQ(picture_classes(folder_.path()), (Names{"a", "b"}));
}

TEST_F(LoadPictures, BringPicturesToOneForm) {
  test::write_classes(folder_.path(), {"a", "b"}, 10);
  test::write_png(folder_ / "b/colour.png", test::random_bytes({3, 4, 5}));
  const Splits mixed = load();
  EXPECT_EQ(mixed.train.images.size(1), 3) << "grey and coloured pictures together become coloured";
  EXPECT_EQ(mixed.test.images.size(1), 3);
  EXPECT_EQ(load({{}, Colours::grey}).train.images.size(1), 1);
  test::write_jpeg(folder_ / "b/wide.jpeg", test::slope(3, 9, 20));
  expect_error([&] { load(); }, {"/b/wide.jpeg is 9 x 20", "is 4 x 5", "data.size"});
  EXPECT_EQ(load({{8, 8}}).train.images.sizes().slice(1), (at::IntArrayRef{3, 8, 8}));
}

TEST_F(LoadPictures, SayWhatIsWrong) {
  expect_error([&] { load(); }, {"has no folder of pictures"});
  test::write_classes(folder_.path(), {"a", "b"}, 2);
  expect_error([&] { load(); }, {"class a has too few different pictures"});
  test::write_classes(folder_.path(), {"a", "b"}, 10);
  fs::create_directories(folder_ / "c");
  expect_error([&] { load(); }, {"/c has no picture (.png, .jpg, .jpeg)"});
  fs::remove(folder_ / "c");
  put(folder_ / "b/broken.png", "");
  expect_error([&] { load(); }, {"/b/broken.png is empty"});
  EXPECT_NO_THROW(load_pictures(folder_.path(), {"a", "b"}, {}, EmptyFiles::pass_over));
  put(folder_ / "b/broken.png", "nothing");
  expect_error([&] { load(); }, {"/b/broken.png is neither PNG nor JPEG"});
  put(folder_ / "a/worse.png", "");
  expect_error([&] { load(); }, {"2 pictures cannot be read", "/a/worse.png is empty",
                                 "/b/broken.png is neither PNG nor JPEG"});
}

TEST_F(LoadPictures, LoadAsAKnownSetAndAsTheUsersOwn) {
  KnownSet set = known_set("notmnist");
  test::write_classes(folder_ / "notMNIST_small", set.class_names, 10);
  put(folder_ / "notMNIST_small/A/empty.png", "");
  const Splits known = data::load(set, {9, 0}, folder_.path());
  EXPECT_EQ(known.train.class_names, (Names{"J", "A"}));
  EXPECT_EQ(test::counts(known.train), (Numbers{7, 7}));
  fs::remove(folder_ / "notMNIST_small/A/empty.png");
  EXPECT_EQ(layout_of(folder_ / "notMNIST_small"), Layout::pictures);
  const Splits own = load_own(folder_ / "notMNIST_small", Layout::pictures, {}, {9, 0}, {{}, Colours::rgb});
  EXPECT_EQ(own.test.class_names, (Names{"J", "A"}));
  EXPECT_TRUE(at::equal(own.test.images.narrow(1, 2, 1), known.test.images));
  expect_error([&] { load_own(folder_ / "nowhere", Layout::pictures, {}, {}); },
               {"/nowhere is not a folder", "the one that holds a folder of pictures for each class"});
  fs::remove_all(folder_ / "notMNIST_small/C");
  EXPECT_FALSE(locate(set, folder_.path())) << "a folder is missing";
}

}  // namespace
}  // namespace whence::data
