// Modules from elsewhere: what is right is explained as in Python, and what is no function of one image is one sentence with a
// remedy. Small files of such kinds that users reported lie in shared/cases (tests/cli/cases_test.cpp).
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "support/errors.h"
#include "support/files.h"
#include "support/script_module.h"
#include "whence/core/random.h"
#include "whence/models/guessing.h"
#include "whence/models/roles.h"

namespace whence::models {
namespace {

at::Tensor pictures(std::int64_t count = 4) {
  return at::rand({count, 3, 2, 2}, make_generator(0, "test/images"));
}

class Foreign : public testing::Test {
 protected:
  void write(const std::string& body, const nn::NamedTensors& parameters = {}) {
    test::save_script(file, "def forward(self, x):\n" + body, parameters);
  }
  void expect_refused(const std::vector<std::string>& parts, const at::Tensor& probe = pictures(),
                      const ClassifierReading& reading = {}) {
    std::vector<std::string> all = {file.string()};
    all.insert(all.end(), parts.begin(), parts.end());
    test::expect_error([&] { load_classifier(file, probe, reading); }, all);
  }
  at::Tensor logits(const at::Tensor& x, const ClassifierReading& reading = {}) {
    return load_classifier(file, x, reading)->logits(x);
  }
  test::TemporaryFolder folder;
  std::filesystem::path file = folder / "m.pt";
};

double apart(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST_F(Foreign, WhatWritesIntoItsInputLeavesThePictureAsItIs) {
  for (const char* name : {"relu", "erf"}) {  // layers, and opaque
    write(fmt::format("  x.sub_(0.5)\n  return torch.mean(torch.{}(x), [2, 3])\n", name));
    const at::Tensor x = pictures(), before = x.clone();
    const at::Tensor centred = x - 0.5;
    const at::Tensor expected = (std::string(name) == "relu" ? centred.relu() : centred.erf()).mean({2, 3});
    const auto classifier = load_classifier(file, x);
    EXPECT_LT(apart(classifier->logits(x), expected), 1e-6);
    EXPECT_LT(apart(classifier->logits(x), expected), 1e-6) << "again";
    EXPECT_TRUE(at::equal(x, before));
    const at::Tensor leaf = x.clone().requires_grad_();
    EXPECT_TRUE(torch::autograd::grad({classifier->logits(leaf).sum()}, {leaf}).front().defined());
  }
}

TEST_F(Foreign, RandomAnswersNameTheLineThatDraws) {
  write("  m = torch.mean(x, [2, 3])\n  return torch.dropout(m, 0.5, True)\n");
  expect_refused({"random", "aten::dropout", "return torch.dropout(m, 0.5, True)", "model.eval()"});
  // A probability that the probe would hardly meet.
  write("  return torch.dropout(torch.mean(x, [2, 3]), 0.0001, True)\n");
  expect_refused({"random", "aten::dropout"});
  write("  return torch.mean(x, [2, 3]) + torch.randn([1, 3]) * 0.001\n");
  expect_refused({"random", "torch.randn"});
  write("  return torch.dropout(torch.mean(x, [2, 3]), 0.5, False)\n");
  EXPECT_LT(apart(logits(pictures()), pictures().mean({2, 3})), 1e-6);
}

TEST_F(Foreign, AnswersThatDependOnOtherImagesAreRefused) {
  const char* bodies[] = {"  return torch.softmax(torch.mean(x, [2, 3]), 0)\n",
                          "  m = torch.mean(x, [2, 3])\n  return m - torch.mean(m, 0)\n",
                          "  m = torch.mean(x, [2, 3])\n  return m / torch.max(m)\n",
                          "  m = torch.mean(x, [2, 3])\n  return torch.cumsum(torch.flip(m, [0]), 0)\n",
                          "  return torch.cumsum(torch.mean(x, [2, 3]), 0)\n",
                          "  return torch.flip(torch.mean(x, [2, 3]), [0])\n"};
  for (const char* body : bodies) {
    SCOPED_TRACE(body);
    write(body);
    expect_refused({"another answer", "evaluation mode"});
    expect_refused({"another answer"}, pictures(1));
  }
}

TEST_F(Foreign, IndependentLabelsAreNoticedAndExplainedOneByOne) {
  for (const char* around : {"", "torch.abs"}) {  // a network, and opaque
    write(fmt::format("  return torch.sigmoid({}(torch.mean(x, [2, 3])))\n", around));
    expect_refused({"independent labels", "--label 0 to 2", "--classifier-output logits"});
    ClassifierReading reading;
    reading.label = 1;
    const auto classifier = load_classifier(file, pictures(), reading);
    ASSERT_EQ(classifier->classes(), 2);
    const at::Tensor z = pictures().mean({2, 3}).select(1, 1);
    const at::Tensor found = classifier->logits(pictures());
    EXPECT_LT(apart(found.select(1, 0), at::zeros_like(z)), 1e-6);
    EXPECT_LT(apart(found.select(1, 1), z), 1e-5);
    EXPECT_EQ(classifier->network() != nullptr, *around == '\0');
    reading.label = 3;
    test::expect_error([&] { load_classifier(file, pictures(), reading); }, {file.string(), "labels 0 to 2"},
                       ExitCode::usage);
  }
  // Logits that happen to lie in [0, 1] are none.
  write("  return torch.mean(x, [2, 3])\n");
  EXPECT_LT(apart(logits(pictures()), pictures().mean({2, 3})), 1e-6);
  // One of several labels that are logits.
  ClassifierReading third;
  third.label = 2;
  EXPECT_LT(apart(logits(pictures(), third).select(1, 1), pictures().mean({2, 3}).select(1, 2)), 1e-6);
}

TEST_F(Foreign, OneColumnIsALogitOfTwoClasses) {
  const at::Tensor z = pictures().mean({1, 2, 3});
  for (const char* body :
       {"  return torch.mean(torch.mean(x, [2, 3]), [1], True)\n", "  return torch.mean(x, [1, 2, 3])\n",
        "  return torch.sigmoid(torch.mean(x, [1, 2, 3]))\n"}) {
    SCOPED_TRACE(body);
    write(body);
    const at::Tensor found = logits(pictures());
    ASSERT_EQ(found.sizes(), at::IntArrayRef({4, 2}));
    EXPECT_LT(apart(found.select(1, 0), at::zeros_like(z)), 1e-6);
    EXPECT_LT(apart(found.select(1, 1), z), 1e-5);
  }
}

TEST_F(Foreign, ALogitIsWhatTheSoftmaxGets) {
  const at::Tensor m = pictures().mean({2, 3});
  for (const char* softmax : {"softmax", "log_softmax"}) {
    for (const char* around : {"", "torch.abs"}) {  // a network, and opaque
      SCOPED_TRACE(fmt::format("{} {}", softmax, around));
      write(fmt::format("  return torch.{}({}(torch.mean(x, [2, 3])), 1)\n", softmax, around));
      EXPECT_LT(apart(logits(pictures()), m), 1e-6);
    }
  }
}

TEST_F(Foreign, ADetachedPartGetsNoGradient) {
  write("  m = torch.mean(x, [2, 3])\n  return torch.relu(m) + torch.detach(m)\n");
  const auto classifier = load_classifier(file, pictures());
  const at::Tensor x = pictures().requires_grad_();
  const at::Tensor gradient = torch::autograd::grad({classifier->logits(x).sum()}, {x}).front();
  EXPECT_LT(apart(gradient, at::full_like(gradient, 0.25)), 1e-6);
  EXPECT_NE(classifier->why_opaque().find("gradient differs"), std::string::npos) << classifier->why_opaque();
}

TEST_F(Foreign, WithoutAGradientWhatNeedsNoneStillWorks) {
  for (const char* body :
       {"  return torch.detach(torch.mean(x, [2, 3]))\n",
        "  m = torch.mean(x, [2, 3])\n  return torch.to(torch.to(torch.round(m), 4), 6)\n"}) {
    SCOPED_TRACE(body);
    write(body);
    const auto classifier = load_classifier(file, pictures());
    EXPECT_EQ(classifier->logits(pictures()).size(1), 3);
    test::expect_error([&] { classifier->logits(pictures().requires_grad_()); },
                       {file.string(), "no gradient", "occlusion", "torch.no_grad()"});
  }
}

TEST_F(Foreign, HalfAndDoubleWeightsBecomeFloat) {
  const at::Tensor weight = at::rand({3, 3, 2, 2}, make_generator(3, "w"));
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16, at::kDouble}) {
    write("  return torch.flatten(torch.conv2d(x, self.w), 1)\n", {{"w", weight.to(type)}});
    const at::Tensor expected = at::conv2d(pictures(), weight.to(type).to(at::kFloat)).flatten(1);
    EXPECT_LT(apart(logits(pictures()), expected), 1e-6);
  }
}

TEST_F(Foreign, DictionariesAndTuplesAreChosenFrom) {
  write("  m = torch.mean(x, [2, 3])\n  return {'logits': m, 'features': torch.flatten(x, 1)}\n");
  expect_refused({"dictionary", "'logits', 'features'", "--output", "classifier.entry"});
  ClassifierReading reading;
  reading.entry = "logits";
  EXPECT_LT(apart(logits(pictures(), reading), pictures().mean({2, 3})), 1e-6);
  EXPECT_NE(load_classifier(file, pictures(), reading)->network(), nullptr);
  reading.entry = "logit";
  expect_refused({"no entry 'logit'", "did you mean 'logits'?"}, pictures(), reading);

  write("  m = torch.mean(x, [2, 3])\n  return (torch.flatten(x, 1), m)\n");
  expect_refused({"2 tensors", "choose '0' or '1' with --output"});
  reading.entry = "1";
  EXPECT_LT(apart(logits(pictures(), reading), pictures().mean({2, 3})), 1e-6);
}

TEST_F(Foreign, RowsWithEmptyDimensionsBehindThemAreRows) {
  for (const char* end : {"[2, 3], True", "[2, 3]).unsqueeze(2", "[2, 3])[:, :, None, None, None].abs("}) {
    SCOPED_TRACE(end);
    write(fmt::format("  return torch.mean(x, {})\n", end));
    EXPECT_LT(apart(logits(pictures()), pictures().mean({2, 3})), 1e-6);
  }
}

TEST_F(Foreign, AFixedBatchIsNamed) {
  write("  return torch.view(x, [2, 12])\n");
  expect_refused({"only batches of 2", "torch.export.Dim"});
  write("  return torch.view(x, [1, 12])\n");
  expect_refused({"only batches of 1"});
  expect_refused({"only batches of 1"}, pictures(1));
}

TEST_F(Foreign, FailuresNameTheLineAndNoInsides) {
  const std::vector<std::string> theirs = {"mat1", "dtype", "ATen", "TorchScript interpreter", "aten::"};
  const auto refused = [&](const std::vector<std::string>& parts) {
    try {
      load_classifier(file, pictures());
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      const std::string text = error.what();
      for (const std::string& part : parts) EXPECT_NE(text.find(part), std::string::npos) << text;
      for (const std::string& word : theirs) EXPECT_EQ(text.find(word), std::string::npos) << text;
      EXPECT_EQ(text.find('\n'), std::string::npos);
    }
  };
  write("  return torch.matmul(torch.flatten(x, 1), self.w)\n", {{"w", at::ones({5, 3})}});
  refused({"does not accept an input of shape 4x3x2x2", "torch.matmul(torch.flatten(x, 1), self.w)",
           "height and width"});
  write("  return torch.matmul(torch.to(torch.flatten(x, 1), 7), self.w)\n", {{"w", at::ones({12, 3})}});
  refused({"kinds of numbers", "model.float()"});
  write("  assert x.size(1) == 7, 'seven channels, please'\n  return x\n");
  refused({"refuses an input of shape 4x3x2x2", "seven channels, please"});
}

TEST_F(Foreign, AGuesserIsToldAndItsScalingTried) {
  data::Dataset set{at::zeros({40, 1, 1, 1}, at::kByte), at::zeros({40}, at::kLong), {"dark", "bright"}};
  for (std::int64_t i = 0; i < 40; ++i) {
    set.images[i].fill_(i % 2 == 0 ? 20 : 200);
    set.labels[i] = i % 2;
  }
  const auto write_threshold = [&](double level) {
    write(fmt::format("  m = torch.flatten(x, 1)\n  return torch.cat([{0} - m, m - {0}], 1)\n", level));
    return load_classifier(file, data::to_float(set));
  };
  const auto bytes = write_threshold(100);
  const std::string note = guessing_note(*bytes, set, 0.5);
  EXPECT_NE(note.find("only guesses"), std::string::npos) << note;
  EXPECT_NE(note.find("from 0 to 255"), std::string::npos) << note;
  const auto wrong = write_threshold(1e6);
  EXPECT_NE(guessing_note(*wrong, set, 0.5).find("order of the classes"), std::string::npos);
  EXPECT_EQ(guessing_note(*write_threshold(0.4), set, 1.0), "");
}

}  // namespace
}  // namespace whence::models
