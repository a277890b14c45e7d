// .pt2 files of torch.export against Python's own numbers. tests/fixtures/make_exported.py made the files.
#include "interchange/exported_program.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <fstream>

#include "interchange/zip_archive.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/zip_writer.h"
#include "whence/core/files.h"
#include "whence/interchange/safetensors.h"
#include "whence/interchange/torchscript.h"

namespace whence::interchange {
namespace {

namespace fs = std::filesystem;

fs::path fixture(const std::string& name) { return fs::path(WHENCE_FIXTURES) / "exported" / name; }

struct Answer {
  at::Tensor x, y, dx;
};
Answer python_answer(const std::string& name) {
  Answer answer;
  for (const nn::NamedTensor& entry : nn::load_safetensors(fixture(name + ".safetensors")).tensors)
    (entry.name == "x" ? answer.x : entry.name == "y" ? answer.y : answer.dx) = entry.tensor;
  return answer;
}

double relative(const at::Tensor& found, const at::Tensor& expected) {
  return ((found - expected).abs().max() / expected.abs().max()).item<double>();
}

class ExportedProgram : public testing::TestWithParam<const char*> {};

TEST_P(ExportedProgram, GivesPythonsAnswersAndGradients) {
  const Answer expected = python_answer(GetParam());
  const nn::ScriptModule module(fixture(std::string(GetParam()) + ".pt2"));
  const at::Tensor x = expected.x.clone().requires_grad_();
  const at::Tensor y = module(x).front();
  EXPECT_LT(relative(y.detach(), expected.y), 1e-5);
  const at::Tensor dx = torch::autograd::grad({y.square().sum()}, {x}).front();
  EXPECT_LT(relative(dx, expected.dx), 1e-4);
  EXPECT_TRUE(at::equal(x.detach(), expected.x)) << "the input is as it was";
}

TEST_P(ExportedProgram, TakesOneImageAndChannelsLastMemory) {
  const Answer expected = python_answer(GetParam());
  const nn::ScriptModule module(fixture(std::string(GetParam()) + ".pt2"));
  const at::Tensor x = expected.x.expand({-1, 1, -1, -1}).contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_LT(relative(module(x).front(), expected.y), 1e-5);
  EXPECT_LT(relative(module(x.narrow(0, 2, 1)).front(), expected.y.narrow(0, 2, 1)), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Files, ExportedProgram,
                         testing::Values("layers", "opaque", "attention", "writes_into_input", "half",
                                         "pickled"),
                         [](const auto& of) { return std::string(of.param); });

TEST(ExportedProgramOfAFixedBatch, TakesOthersWhereNoSizeStandsInIt) {
  const Answer expected = python_answer("fixed_batch");
  const nn::ScriptModule module(fixture("fixed_batch.pt2"));
  EXPECT_LT(relative(module(expected.x.narrow(0, 1, 2)).front(), expected.y.narrow(0, 1, 2)), 1e-5);
}

TEST(ExportedProgramOfADictionary, KeepsItsKeys) {
  nn::ScriptModule module(fixture("dictionary.pt2"));
  EXPECT_EQ(module.output_names(), (std::vector<std::string>{"features", "logits"}));
  const at::Tensor x = at::ones({2, 1, 12, 12});
  EXPECT_EQ(module(x).size(), 2U);
  for (const char* entry : {"logits", "1"}) {
    module.choose_output(entry);
    ASSERT_EQ(module(x).size(), 1U);
    EXPECT_EQ(module(x).front().sizes(), at::IntArrayRef({2, 3}));
    EXPECT_TRUE(module.translate({1, 12, 12}).has_value()) << entry;
  }
  module.choose_output("logit");
  EXPECT_NE(test::error_of([&] { module(x); }).find("did you mean 'logits'"), std::string::npos);
}

/// PyTorch 2.7 and earlier wrote the same parts without folders.
TEST(ExportedProgramOfTheFlatLayout, IsTheSame) {
  const test::TemporaryFolder folder;
  const ZipArchive archive(fixture("pickled.pt2"));
  write_file(folder / "flat.pt2",
             test::zip_of({{"serialized_exported_program.json", archive.read("pickled/models/model.json")},
                           {"serialized_state_dict.pt", archive.read("pickled/data/weights/model.pt")},
                           {"serialized_constants.pt", archive.read("pickled/data/constants/model.pt")},
                           {"version", "8.2"}}));
  const Answer expected = python_answer("pickled");
  EXPECT_LT(relative(nn::ScriptModule(folder / "flat.pt2")(expected.x).front(), expected.y), 1e-5);
}

TEST(ExportedProgramAsLayers, IsTheSameFunctionWithPythonsNames) {
  const Answer expected = python_answer("layers");
  std::string obstacle;
  const auto network = nn::ScriptModule(fixture("layers.pt2")).translate({1, 12, 12}, &obstacle);
  ASSERT_TRUE(network) << obstacle;
  EXPECT_LT(relative(network->forward(expected.x), expected.y), 1e-5);
  for (const char* layer : {"conv1", "norm", "conv2", "fc"}) EXPECT_NO_THROW(network->find(layer)) << layer;
}

TEST(ExportedProgramAsLayers, TellsTheShapeOfItsImages) {
  for (const char* name : {"layers.pt2", "opaque.pt2", "attention.pt2", "fixed_batch.pt2"})
    EXPECT_EQ(nn::ScriptModule(fixture(name)).input_shape(), (nn::Shape{1, 12, 12})) << name;
}

TEST(ExportedProgramAsLayers, NamesTheOperationThatStandsInTheWay) {
  std::string obstacle;
  EXPECT_FALSE(nn::ScriptModule(fixture("attention.pt2")).translate({1, 12, 12}, &obstacle));
  EXPECT_NE(obstacle.find("aten::"), std::string::npos) << obstacle;
}

void expect_refused(const std::string& name, const std::string& because) {
  const std::string sentence = test::error_of([&] { const nn::ScriptModule module(fixture(name)); });
  EXPECT_NE(sentence.find(because), std::string::npos) << sentence;
  EXPECT_NE(sentence.find(name), std::string::npos) << sentence;
}

TEST(ExportedProgramRefused, SaysWhy) {
  expect_refused("random.pt2", "is random");
  expect_refused("learns.pt2", "changes its own");
  expect_refused("two_inputs.pt2", "several inputs");
}

/// The zip file `from` with one byte changed or its end cut off.
void spoil(const fs::path& from, const fs::path& to, std::size_t at, bool cut) {
  std::string bytes = read_file(from);
  if (cut)
    bytes.resize(at);
  else
    bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
  std::ofstream(to, std::ios::binary) << bytes;
}

TEST(ExportedProgramDamaged, IsOneSentenceOrTheSameFunction) {
  const test::TemporaryFolder folder;
  for (const char* name : {"half.pt2", "layers.pt2"}) {
    const std::size_t size = fs::file_size(fixture(name));
    for (std::size_t at = 0; at < size; at += size / 150 + 1) {
      for (const bool cut : {false, true}) {
        const fs::path file = folder.path() / "model.pt2";
        spoil(fixture(name), file, at, cut);
        try {
          nn::ScriptModule module(file);
        } catch (const Error& error) {
          EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
        }
      }
    }
  }
}

TEST(ZipArchive, ReadsStoredAndDeflatedEntries) {
  for (const char* name : {"layers", "half"}) {
    const ZipArchive archive(fixture(std::string(name) + ".pt2"));
    EXPECT_EQ(archive.read(std::string(name) + "/archive_format"), "pt2");
    EXPECT_EQ(archive.find(std::string(name) + "/models/", ".json").size(), 1u);
  }
}

}  // namespace
}  // namespace whence::interchange
