// Bad input gets one clear sentence, exit code 1 or 2, and nothing half-written.
#include "cli/program.h"

namespace whence {
namespace {

using test_support::is_error;
using test_support::Workplace;
namespace fs = std::filesystem;

class BadInput : public ::testing::Test {
 protected:
  BadInput() { test_support::write_squares_recipe(workplace_.path()); }

  /// `whence run` with settings; no run folder may be left.
  ::testing::AssertionResult run_fails(const std::vector<std::string>& settings, int code,
                                       const std::string& part) {
    std::vector<std::string> arguments = {"run", "recipe-of-squares.toml", "--out", "out"};
    for (const std::string& setting : settings) {
      arguments.push_back("--set");
      arguments.push_back(setting);
    }
    const auto outcome = workplace_.run(arguments);
    if (fs::exists(workplace_ / "out")) return ::testing::AssertionFailure() << "a run folder is left";
    return is_error(outcome, code, part);
  }

  Workplace workplace_;
};

TEST_F(BadInput, CommandLines) {
  EXPECT_TRUE(is_error(workplace_.run({}), 2, "subcommand"));
  EXPECT_TRUE(is_error(workplace_.run({"swep"}), 2, "there is no subcommand 'swep' (did you mean 'sweep'?)"));
  EXPECT_TRUE(is_error(workplace_.run({"run"}), 2, "see whence run --help"));
  EXPECT_TRUE(
      is_error(workplace_.run({"run", "recipe-of-squares.toml", "--fast"}), 2, "there is no option --fast"));
  EXPECT_TRUE(
      is_error(workplace_.run({"morph", "x", "--imags", "3"}), 2,
               "there is no option --imags (did you mean '--images'?); whence morph --help lists them"));
  EXPECT_TRUE(is_error(workplace_.run({"data", "fetch", "mnist", "--form=x"}), 2,
                       "there is no option --form (did you mean '--from'?); whence data fetch --help lists"));
  EXPECT_TRUE(is_error(workplace_.run({"run", "nowhere.toml"}), 1, "nowhere.toml does not exist"));
  EXPECT_TRUE(is_error(workplace_.run({"report", "nowhere"}), 1, "the folder of an earlier run"));
  EXPECT_TRUE(is_error(workplace_.run({"run", "."}), 1, "not a run folder"));
  EXPECT_TRUE(is_error(workplace_.run({"flow", "."}), 1, "not a run folder"));
  EXPECT_TRUE(is_error(workplace_.run({"flow", "--classifier", "c.pt"}), 2, "give a run folder, or all of"));
  EXPECT_TRUE(is_error(workplace_.run({"flow", "x", "--samples", "0x200"}), 2, "--samples"));
  EXPECT_TRUE(is_error(workplace_.run({"data", "check", "fashion-mist"}), 2, "fashion-mnist"));
  EXPECT_TRUE(is_error(workplace_.run({"data", "fetch", "nosuch"}), 2, "cifar10, sst"));
  EXPECT_TRUE(is_error(workplace_.run({"import", "x.pt", "--input", "1x"}), 2, "--input"));
  EXPECT_TRUE(is_error(workplace_.run({"recipe"}), 2, "--reference"));
}

TEST_F(BadInput, ValuesOfOptions) {
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& part) {
    return is_error(workplace_.run(arguments), 2, part);
  };
  EXPECT_TRUE(refused({"sweep", "x", "--range", "inf"}, "--range is inf, but must be a number above 0"));
  EXPECT_TRUE(
      refused({"flow", "x", "--seed", "99999999999999999999"}, "--seed: must be an integer of at least 0"));
  EXPECT_TRUE(
      refused({"select", "x", "--pilot", "nan"}, "--pilot is nan, but must be a number from 0.01 to 0.99"));
  EXPECT_TRUE(
      refused({"select", "x", "--budget", "-1"}, "--budget is -1, but must be a number of at least 0"));
  EXPECT_TRUE(refused({"select", "x", "--samples", "1x1"},
                      "must be a list of two integers from 2 to 1000000, such as 200x200"));
  EXPECT_TRUE(refused({"trust", "x", "--samples", "0x0"}, "--samples is 0x0"));
  EXPECT_TRUE(refused({"counterfactual", "x", "--step", "1e-300"}, "10000th of --radius"));
  EXPECT_TRUE(refused({"counterfactual", "x", "--images", ""}, "--images: must be an integer"));
  EXPECT_TRUE(refused({"counterfactual", "x", "--to", ""}, "--to is empty"));
  EXPECT_TRUE(
      refused({"flow", "x", "--sampling", "nestet"},
              "--sampling is 'nestet', but must be one of 'nested', 'crossed' (did you mean 'nested'?)"));
  for (const char* option : {"--data", "--classes", "--latents", "--causal"})
    EXPECT_TRUE(refused({"sweep", "x", option, "3"}, std::string(option) + " is for model files"));
}

TEST_F(BadInput, OtherTrainings) {
  EXPECT_TRUE(run_fails({"trust.other_run=nowhere"}, 1, "trust.other_run is "));
  EXPECT_TRUE(run_fails({"generator.start=nowhere"}, 1, "generator.start is "));
}

TEST_F(BadInput, Recipes) {
  EXPECT_TRUE(run_fails({"explanation.causal=0"}, 2, "explanation.causal is 0"));
  EXPECT_TRUE(run_fails({"explanation.lamda=1"}, 2, "did you mean 'explanation.lambda'?"));
  EXPECT_TRUE(run_fails({"evaluation.flow_samples=0x0"}, 2, "evaluation.flow_samples"));
  EXPECT_TRUE(run_fails({"explanation.steps=9223372036854775807"}, 2, "must be at most 1000000000"));
  EXPECT_TRUE(run_fails({"explanation.lambda=inf"}, 2, "explanation.lambda is inf"));
  EXPECT_TRUE(run_fails({"expected.flow=inf"}, 2, "expected.flow is inf"));
  write_file(workplace_ / "bad.toml", "[data]\nset = 3\n");
  EXPECT_TRUE(is_error(workplace_.run({"run", "bad.toml"}), 2, "bad.toml:2: data.set is 3"));
  EXPECT_FALSE(fs::exists(workplace_ / "runs"));
}

TEST_F(BadInput, Devices) {
  const auto on = [&](const std::string& device) {
    return workplace_.run(
        {"run", "recipe-of-squares.toml", "--set", "run.device=" + device, "--out", "on-a-device"});
  };
  EXPECT_TRUE(is_error(on("gpu"), 2, "there is no device \"gpu\""));
  EXPECT_TRUE(is_error(on("cuda:99"), 1, "the device \"cuda:99\" was asked for, but"));
  EXPECT_FALSE(std::filesystem::exists(workplace_ / "on-a-device"))
      << "nothing is left of a run that cannot begin";
}

TEST_F(BadInput, Data) {
  EXPECT_TRUE(run_fails({"data.path=nowhere"}, 1, "nowhere"));
  EXPECT_TRUE(run_fails({"data.classes=0,7"}, 2, "class 7 does not exist"));
  EXPECT_TRUE(run_fails({"data.class_names=[\"a\", \"b\", \"nobody\"]"}, 1, "nobody"));
}

TEST_F(BadInput, DamagedData) {
  const fs::path images = workplace_ / "squares/train-images-idx3-ubyte";
  const std::string whole = read_file(images);
  write_file(images, whole.substr(0, whole.size() / 2));
  EXPECT_TRUE(run_fails({}, 1, "train-images-idx3-ubyte"));
  write_file(images, "PNG" + whole);
  EXPECT_TRUE(run_fails({}, 1, "train-images-idx3-ubyte"));
  write_file(images, whole);
  test_support::write_squares(workplace_ / "more", "train", 1, 1);
  fs::copy_file(workplace_ / "more/train-labels-idx1-ubyte", workplace_ / "squares/train-labels-idx1-ubyte",
                fs::copy_options::overwrite_existing);
  EXPECT_TRUE(run_fails({}, 1, "400"));
  fs::remove(images);
  EXPECT_TRUE(run_fails({}, 1, "lacks train-images-idx3-ubyte"));
}

TEST_F(BadInput, AClassifierThatIsNotThere) {
  EXPECT_TRUE(run_fails({"classifier.file=nowhere.pt"}, 1, "nowhere.pt, which does not exist"));
}

TEST_F(BadInput, AClassifierThatIsNotTorchScript) {
  EXPECT_TRUE(run_fails({"classifier.file=recipe-of-squares.toml"}, 1, "recipe-of-squares.toml"));
  EXPECT_TRUE(is_error(workplace_.run({"import", "recipe-of-squares.toml", "--input", "1x8x8"}), 1,
                       "recipe-of-squares.toml"));
}

TEST_F(BadInput, FoldersThatCannotBeWritten) {
  const auto run_to = [&](const std::string& out) {
    return workplace_.run({"run", "recipe-of-squares.toml", "--out", out});
  };
  EXPECT_TRUE(is_error(run_to("recipe-of-squares.toml/run"), 1, "cannot be written"));
  EXPECT_TRUE(is_error(run_to("/proc/whence-run"), 1, "cannot be made"));
  EXPECT_TRUE(is_error(run_to("squares"), 1, "is not a run folder"));
  // Before any work: the run that they are about is not there.
  for (const char* verb : {"attribute", "sweep", "ablate", "counterfactual", "export", "select"})
    EXPECT_TRUE(is_error(workplace_.run({verb, "nowhere", "--out", "recipe-of-squares.toml/figures"}), 1,
                         "cannot be written"))
        << verb;
  EXPECT_TRUE(is_error(workplace_.run({"import", "nowhere.pt", "--out", "squares"}), 1, "it is a folder"));
  EXPECT_TRUE(is_error(workplace_.run({"curves", "nowhere", "--out", "recipe-of-squares.toml/x"}), 1,
                       "cannot be written"));
}

TEST_F(BadInput, ReadOnlyFolders) {
  workplace_.must_run({"train", "recipe-of-squares.toml", "--out", "run", "--set", "explanation.steps=2"});
  fs::create_directory(workplace_ / "closed");
  const auto set_writable = [&](bool writable) {
    const auto change = writable ? fs::perm_options::add : fs::perm_options::remove;
    for (const char* folder : {"closed", "run", "run/.stages"}) {
      fs::permissions(workplace_ / folder, fs::perms::owner_write, change);
    }
  };
  const auto run = [&](const std::vector<std::string>& arguments) {
    return workplace_.run(arguments,
                          {.standard_output = {}, .largest_file = 0, .bound_by_permissions = true});
  };
  set_writable(false);
  EXPECT_TRUE(is_error(run({"run", "recipe-of-squares.toml", "--out", "closed"}), 1, "closed"));
  EXPECT_TRUE(is_error(run({"run", "recipe-of-squares.toml", "--out", "closed/run"}), 1, "closed/run"));
  const auto resumed = run({"run", "run"});
  EXPECT_TRUE(is_error(resumed, 1, "run/"));
  EXPECT_FALSE(test::contains(resumed.err, ".part-"));
  EXPECT_EQ(run({"flow", "run", "--samples", "4x4"}).code, 0) << "looking at a run needs no writing";
  set_writable(true);
}

TEST_F(BadInput, DamagedWeights) {
  workplace_.must_run({"train", "recipe-of-squares.toml", "--out", "run", "--set", "explanation.steps=2"});
  const auto flow = [&] { return workplace_.run({"flow", "run", "--samples", "4x4"}); };
  const fs::path weights = workplace_ / "run/decoder.safetensors";
  const std::string whole = read_file(weights);
  write_file(weights, whole.substr(0, whole.size() - 10));
  EXPECT_TRUE(is_error(flow(), 1, "decoder.safetensors"));
  fs::copy_file(workplace_ / "run/encoder.safetensors", weights, fs::copy_options::overwrite_existing);
  EXPECT_TRUE(is_error(flow(), 1, "decoder.safetensors"));
  fs::remove(weights);
  EXPECT_TRUE(is_error(flow(), 1, "has no decoder.safetensors yet"));
}

}  // namespace
}  // namespace whence
