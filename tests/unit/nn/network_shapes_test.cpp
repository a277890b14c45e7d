#include <functional>
#include <ostream>

#include "support/errors.h"
#include "unit/nn/network_support.h"

namespace whence::nn {
namespace {

using test::error_of;

struct ShapeCase {
  const char* name;
  Shape input;
  Op op;
  Shape output;
};
void PrintTo(const ShapeCase& shape_case, std::ostream* out) { *out << shape_case.name; }

class InfersShape : public ::testing::TestWithParam<ShapeCase> {};

/// The expected shape is written down by hand and must also be the shape of what runs.
TEST_P(InfersShape, AndRunsToIt) {
  Network network("n", GetParam().input);
  network.add("layer", GetParam().op);
  EXPECT_EQ(network.output_shape(), GetParam().output);

  Shape batch = {2};
  batch.insert(batch.end(), GetParam().input.begin(), GetParam().input.end());
  EXPECT_EQ(network.forward(at::ones(batch)).sizes().slice(1), at::IntArrayRef(GetParam().output));
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, InfersShape,
    ::testing::Values(ShapeCase{"conv", {1, 28, 28}, Conv2d{32, 3}, {32, 26, 26}},
                      ShapeCase{"conv_strided", {3, 28, 30}, Conv2d{8, 4, 2, 1}, {8, 14, 15}},
                      ShapeCase{"conv_odd", {3, 7, 8}, Conv2d{8, 3, 2, 0}, {8, 3, 3}},
                      ShapeCase{"transposed", {4, 7, 5}, ConvTranspose2d{2, 4, 1, 1}, {2, 8, 6}},
                      ShapeCase{"transposed_strided", {4, 14, 8}, ConvTranspose2d{1, 4, 2, 1}, {1, 28, 16}},
                      ShapeCase{
                          "transposed_output_padding", {4, 4, 4}, ConvTranspose2d{6, 3, 2, 1, 1}, {6, 8, 8}},
                      ShapeCase{"linear", {6}, Linear{3}, {3}},
                      ShapeCase{"linear_last_dimension", {5, 6}, Linear{3}, {5, 3}},
                      ShapeCase{"batch_norm", {3, 4, 5}, BatchNorm2d{}, {3, 4, 5}},
                      ShapeCase{"batch_norm_1d", {5}, BatchNorm1d{}, {5}},
                      ShapeCase{"upsample", {2, 3, 4}, UpsampleNearest2d{3}, {2, 9, 12}},
                      ShapeCase{"max_pool", {2, 7, 6}, MaxPool2d{2, 2}, {2, 3, 3}},
                      ShapeCase{"max_pool_padded", {2, 7, 6}, MaxPool2d{3, 1, 1}, {2, 7, 6}},
                      ShapeCase{"avg_pool", {2, 8, 8}, AvgPool2d{8, 8}, {2, 1, 1}},
                      ShapeCase{"global_pool", {2, 7, 6}, GlobalAvgPool2d{}, {2, 1, 1}},
                      ShapeCase{"dropout", {5}, Dropout{}, {5}},
                      ShapeCase{"dropout2d", {5, 2, 2}, Dropout2d{}, {5, 2, 2}},
                      ShapeCase{"flatten", {2, 3, 4}, Flatten{}, {24}},
                      ShapeCase{"reshape", {24}, Reshape{{2, 3, 4}}, {2, 3, 4}},
                      ShapeCase{"pad", {2, 3, 4}, ZeroPad2d{1, 2, 3, 4}, {2, 10, 7}},
                      ShapeCase{"softmax", {4}, Softmax{}, {4}}),
    [](const auto& instance) { return std::string(instance.param.name); });

struct ErrorCase {
  const char* name;
  Shape input;
  Op op;
  const char* sentence;
};
void PrintTo(const ErrorCase& error_case, std::ostream* out) { *out << error_case.name; }

class RejectsShape : public ::testing::TestWithParam<ErrorCase> {};

TEST_P(RejectsShape, InOneSentence) {
  Network network("net", GetParam().input);
  const std::string sentence = error_of([&] { network.add("layer", GetParam().op); });
  EXPECT_EQ(sentence, "network \"net\", layer \"layer\" (" + std::string(name_of(GetParam().op)) +
                          "): " + GetParam().sentence);
  EXPECT_EQ(network.layers().size(), 1U) << "a rejected layer must not stay";
}

INSTANTIATE_TEST_SUITE_P(
    Errors, RejectsShape,
    ::testing::Values(
        ErrorCase{"batch_norm_1d_image",
                  {4, 3, 3},
                  BatchNorm1d{},
                  "needs an input of features without height and width, not 4x3x3"},
        ErrorCase{"upsample_factor", {4, 3, 3}, UpsampleNearest2d{0}, "the factor must be at least 1, not 0"},
        ErrorCase{"kernel", {4, 3, 3}, Conv2d{2, 5}, "kernel 5 does not fit into 3x3 input"},
        ErrorCase{"kernel_padded",
                  {4, 3, 2},
                  Conv2d{2, 7, 1, 1},
                  "kernel 7 does not fit into 3x2 input padded by 1"},
        ErrorCase{"flat", {16}, Conv2d{2, 3}, "needs an input of shape channels x height x width, not 16"},
        ErrorCase{"channels", {1, 3, 3}, Conv2d{0, 3}, "needs at least 1 channel, not 0"},
        ErrorCase{"stride",
                  {1, 3, 3},
                  Conv2d{1, 3, 0},
                  "kernel and stride must be at least 1 and padding at least 0, not 3, 0 and 0"},
        ErrorCase{"output_padding",
                  {1, 3, 3},
                  ConvTranspose2d{1, 3, 2, 1, 2},
                  "output padding must be less than the stride 2, not 2"},
        ErrorCase{"transposed_to_nothing",
                  {1, 1, 1},
                  ConvTranspose2d{1, 4, 2, 2},
                  "padding 2 leaves nothing of the output of a 1x1 input"},
        ErrorCase{"features", {3}, Linear{0}, "needs at least 1 output feature, not 0"},
        ErrorCase{"pool_padding", {1, 4, 4}, MaxPool2d{2, 2, 2}, "padding 2 is more than half of kernel 2"},
        ErrorCase{"probability", {4}, Dropout{1.5}, "the probability of dropping must be in [0, 1], not 1.5"},
        ErrorCase{"reshape", {6}, Reshape{{2, 2}}, "cannot reshape 6 (6 elements) to 2x2"},
        ErrorCase{"pad", {1, 4, 4}, ZeroPad2d{-1, 0, 0, 0}, "padding must be at least 0, not -1, 0, 0 and 0"},
        ErrorCase{"second_input", {1, 4, 4}, Input{}, "only the first layer is an input"},
        ErrorCase{"lonely_add", {4}, Add{}, "takes two inputs or more, not 1"}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST(NetworkShapes, JoinsCheckTheirInputs) {
  Network network("net", {2, 4, 4});
  network.add("a", Conv2d{2, 3, 1, 1});
  network.add("b", Conv2d{3, 3, 1, 1}, {"input"});
  network.add("small", MaxPool2d{2, 2}, {"input"});
  EXPECT_EQ(network.layers()[network.add("all", Concat{}, {"input", "a", "b"})].shape, (Shape{7, 4, 4}));
  EXPECT_EQ(network.layers()[network.add("sum", Add{}, {"input", "a"})].shape, (Shape{2, 4, 4}));
  EXPECT_EQ(error_of([&] {
              network.add("x", Add{}, {"a", "b"});
            }),
            "network \"net\", layer \"x\" (Add): inputs must have one shape, not 2x4x4 and 3x4x4");
  EXPECT_EQ(error_of([&] {
              network.add("x", Concat{}, {"a", "small"});
            }),
            "network \"net\", layer \"x\" (Concat): inputs must agree in all but the first dimension, not "
            "2x4x4 and "
            "2x2x2");
  EXPECT_EQ(error_of([&] {
              network.add("x", Relu{}, {"a", "b"});
            }),
            "network \"net\", layer \"x\" (Relu): takes one input, not 2");
}

TEST(NetworkShapes, NamesAreUniqueAndWithoutDots) {
  Network network("net", {4});
  network.add("fc", Linear{4});
  EXPECT_EQ(error_of([&] { network.add("fc", Relu{}); }),
            "network \"net\", layer \"fc\" (Relu): the name is taken by another layer (Linear)");
  EXPECT_EQ(error_of([&] { network.add("fc.1", Relu{}); }),
            "network \"net\", layer \"fc.1\" (Relu): the name of a layer must not be empty or hold a dot");
  EXPECT_EQ(error_of([&] {
              Network("net", {1, 0, 3});
            }),
            "network \"net\": an input of shape 1x0x3 is impossible");
}

TEST(NetworkShapes, UnknownLayersAreNamedWithTheNearest) {
  Network network("net", {4});
  network.add("hidden", Linear{4});
  EXPECT_EQ(error_of([&] { network.find("hiden"); }),
            "network \"net\": there is no layer \"hiden\" (did you mean 'hidden'?)");
  EXPECT_THROW(network.add("x", Relu{}, {"hiden"}), Error);
  EXPECT_THROW(network.set_outputs({"hidden", "other"}), Error);
  EXPECT_EQ(network.outputs(), std::vector<LayerId>{1});
  EXPECT_EQ(error_of([&] { network.set_outputs({}); }), "network \"net\": needs at least one output");
}

TEST(NetworkShapes, InputsOfAnotherShapeAreRejected) {
  Network network("net", {1, 4, 4});
  network.add("flatten", Flatten{});
  EXPECT_EQ(error_of([&] {
              network.forward(at::zeros({2, 3, 4, 4}));
            }),
            "network \"net\", layer \"input\": expects a batch of 1x4x4, not a tensor of shape 2x3x4x4");
}

}  // namespace
}  // namespace whence::nn
