// Stages are skipped, resumed, redone and refused as their inputs say.
#include "experiment/pipeline.h"

#include "experiment/stages.h"
#include "unit/experiment/support.h"
#include "unit/kinds/pipeline_support.h"
#include "unit/kinds/support.h"

namespace whence::kinds {
namespace {

using whence::test::contains;
using whence::test::error_of;

TEST_F(Pipeline, DoesEachStageOnce) {
  EXPECT_EQ(done_by([&] { run(); }), (Names{"data", "classifier", "explanation", "evaluation"}));
  EXPECT_EQ(done_by([&] { run(); }), Names{});
  for (const char* file : {"recipe.toml", "run.json", "metrics.json", "log.jsonl", "classifier.safetensors",
                           "encoder.safetensors", "decoder.safetensors"}) {
    EXPECT_TRUE(std::filesystem::exists(folder_ / file)) << file;
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.checkpoint("classifier")));
  EXPECT_FALSE(std::filesystem::exists(folder_.checkpoint("explanation")));
}

TEST_F(Pipeline, RedoesWhatDependsOnACheapChange) {
  run();
  EXPECT_EQ(done_by([&] { run({"evaluation.flow_samples=30x10"}); }), Names{"evaluation"});
  EXPECT_EQ(done_by([&] {
              run({"evaluation.flow_samples=30x10", "title=Another", "run.threads=1"});
            }),
            Names{});
}

TEST_F(Pipeline, RedoesWhatLostItsFilesAndEverythingAfterIt) {
  run();
  std::filesystem::remove(folder_ / "decoder.safetensors");
  EXPECT_EQ(done_by([&] { run(); }), (Names{"explanation", "evaluation"}));
}

/// The recipe is the same, but hours of training are not thrown away for it.
TEST_F(Pipeline, OtherImagesUnderTheSameNameAreAnError) {
  run();
  const std::string weights = read_file(folder_ / "classifier.safetensors");
  whence::test_support::write_squares(temporary_ / "squares", "train", 300, 9);
  EXPECT_TRUE(contains(error_of([&] { run(); }), "was made from other images than those found now"));
  EXPECT_EQ(read_file(folder_ / "classifier.safetensors"), weights);
  PipelineOptions options;
  options.force = true;
  EXPECT_EQ(done_by([&] { run({}, options); }), (Names{"data", "classifier", "explanation", "evaluation"}));
}

/// Also of stages that are done again only later.
TEST_F(Pipeline, FilesOfAnEarlierResultDoNotStayBesideTheNewOnes) {
  run();
  Stamp evaluation = read_stamp(folder_, "evaluation");
  evaluation.products.emplace_back("old.txt");
  write_file(folder_ / "old.txt", "of another model");
  write_stamp(folder_, "evaluation", evaluation);
  PipelineOptions only;
  only.last = "explanation";
  only.redo = {"explanation"};
  run({}, only);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "old.txt"));
  EXPECT_FALSE(read_stamp(folder_, "evaluation").finished);
  EXPECT_EQ(done_by([&] { run(); }), Names{"evaluation"});
  EXPECT_FALSE(std::filesystem::exists(folder_ / "old.txt"));
}

/// Versions of whence add keys to recipes; a run made before counts as one with their defaults.
TEST_F(Pipeline, AKeyThatAnEarlierVersionDidNotHaveCountsAsItsDefault) {
  run();
  for (const char* stage : {"classifier", "explanation"}) {
    Stamp stamp = read_stamp(folder_, stage);
    ASSERT_EQ(stamp.inputs["recipe"].erase(stage == std::string("classifier") ? "classifier.warmup"
                                                                              : "explanation.leak_penalty"),
              1U);
    write_stamp(folder_, stage, stamp);
  }
  EXPECT_EQ(done_by([&] { run(); }), Names{});
  EXPECT_TRUE(contains(error_of([&] { run({"explanation.leak_penalty=1"}); }),
                       "explanation.leak_penalty is 0.0 there and 1.0 here"));
}

TEST_F(Pipeline, AFolderOfAnotherRecipeIsRefusedUnlessForced) {
  run();
  const std::string weights = read_file(folder_ / "classifier.safetensors");
  const std::string sentence = error_of([&] { run({"run.seed=5", "explanation.causal=2"}); });
  EXPECT_TRUE(contains(sentence, "run.seed is 0 there and 5 here"));
  EXPECT_TRUE(contains(sentence, "--force"));
  EXPECT_EQ(read_file(folder_ / "classifier.safetensors"), weights);
  EXPECT_TRUE(
      contains(error_of([&] { run({"explanation.causal=2"}); }), "explanation.causal is 1 there and 2 here"));

  PipelineOptions force;
  force.force = true;
  EXPECT_EQ(done_by([&] { run({"explanation.causal=2"}, force); }), (Names{"explanation", "evaluation"}));
}

TEST_F(Pipeline, StopsAfterTheLastStageAskedFor) {
  PipelineOptions options;
  options.last = "explanation";
  EXPECT_EQ(done_by([&] { run({}, options); }), (Names{"data", "classifier", "explanation"}));
  EXPECT_EQ(done_by([&] { run(); }), Names{"evaluation"});
}

TEST_F(Pipeline, ALendersFinishedStagesAreCopiedWhereTheirInputsAreTheSame) {
  run();
  const RunFolder lender = folder_;
  PipelineOptions options;
  options.lender = lender.path();
  folder_ = RunFolder(temporary_ / "same");
  EXPECT_EQ(done_by([&] { run({}, options); }), (Names{"data", "classifier", "explanation", "evaluation"}));
  for (const char* stage : {"data", "classifier", "explanation"})
    EXPECT_EQ(read_stamp(folder_, stage).fingerprint, read_stamp(lender, stage).fingerprint) << stage;
  EXPECT_EQ(read_file(folder_ / "decoder.safetensors"), read_file(lender / "decoder.safetensors"));
  EXPECT_EQ(read_json(folder_ / "metrics.json")["classifier"],
            read_json(lender / "metrics.json")["classifier"]);
  EXPECT_EQ(done_by([&] { run({}, options); }), Names{});

  folder_ = RunFolder(temporary_ / "other");
  run({"explanation.lambda=1"}, options);
  EXPECT_EQ(read_stamp(folder_, "classifier").fingerprint, read_stamp(lender, "classifier").fingerprint);
  EXPECT_NE(read_stamp(folder_, "explanation").fingerprint, read_stamp(lender, "explanation").fingerprint);
}

TEST_F(Pipeline, AStageThatMustBeDoneAlreadyIsNotDone) {
  PipelineOptions options;
  options.first = "evaluation";
  EXPECT_TRUE(contains(error_of([&] { run({}, options); }), "the data stage of "));
}

TEST_F(Pipeline, MissingDataLeavesNoFolder) {
  EXPECT_TRUE(contains(error_of([&] { run({"data.path=/nowhere"}); }), "/nowhere"));
  EXPECT_FALSE(std::filesystem::exists(folder_.path()));
}

TEST_F(Pipeline, ALayerThatTheClassifierLacksIsSaidBeforeItIsTrained) {
  const std::string said = error_of([&] {
    run({"explanation.steps=0", "generator.latents=4", "generator.feature_weight=1",
         "generator.feature_layers=[\"nowhere\"]"});
  });
  EXPECT_TRUE(contains(said, "there is no layer \"nowhere\"; it has input, conv1")) << said;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "classifier.safetensors"));
}

TEST_F(Pipeline, ARunGoesOnInItsOwnPrecision) {
  run();
  nlohmann::json record = read_json(folder_ / "run.json");
  EXPECT_EQ(record["precision"]["chosen"], "float32");
  record["precision"]["reason"] = "measured long ago";
  write_json(folder_ / "run.json", record);
  run({"evaluation.flow_samples=30x10"});
  EXPECT_EQ(read_json(folder_ / "run.json")["precision"]["reason"], "measured long ago");
}

TEST_F(Pipeline, MeasuresOnValidationImagesOnlyWhereAsked) {
  PipelineOptions options;
  options.last = "validation";
  EXPECT_EQ(done_by([&] { run({}, options); }), (Names{"data", "classifier", "explanation", "validation"}));
  EXPECT_EQ(done_by([&] { run({}, options); }), Names{});
  EXPECT_EQ(done_by([&] { run(); }), Names{"evaluation"});
  const auto measured = [&] { return read_json(folder_ / "metrics.json")["gce"].contains("validation"); };
  EXPECT_TRUE(measured());
  EXPECT_EQ(done_by([&] { run({"evaluation.flow_samples=[20,10]"}); }), Names{"evaluation"});
  EXPECT_FALSE(measured()) << "it is not of these samples";
  EXPECT_FALSE(std::filesystem::exists(folder_ / kValidationBounds));
}

TEST_F(Pipeline, AFolderOfAnEarlierWhenceIsOneSentence) {
  run();
  nlohmann::json record = read_json(folder_ / "run.json");
  EXPECT_EQ(record["format"], 2);
  record.erase("format");
  write_json(folder_ / "run.json", record);
  const std::string path = folder_.path().string();
  const std::string sentence =
      path +
      " was made by an earlier whence, whose run folders this one cannot read; run its recipe "
      "again with --out, or with --force to replace it";
  EXPECT_EQ(error_of([&] { run(); }), sentence);
  EXPECT_EQ(error_of([&] { open_session(kinds(), path); }), sentence);
  EXPECT_EQ(error_of([&] { find_target(kinds(), path, {}, {}); }), sentence);
  PipelineOptions force;
  force.force = true;
  EXPECT_EQ(done_by([&] { run({}, force); }), (Names{"data", "classifier", "explanation", "evaluation"}));
  EXPECT_EQ(read_json(folder_ / "run.json")["format"], 2);
}

TEST_F(Pipeline, AnExplanationThatIsNotAskedForIsLeftOut) {
  EXPECT_EQ(done_by([&] { run({"explanation.steps=0"}, {.first = "data", .last = "trust", .redo = {}}); }),
            (Names{"data", "classifier"}));
  EXPECT_FALSE(read_json(folder_ / "metrics.json").contains("gce"));
  EXPECT_EQ(last_training(kinds(), load_recipe(kinds(), recipe_, {"explanation.steps=0"}).values),
            "classifier");
  EXPECT_EQ(last_training(kinds(), load_recipe(kinds(), recipe_).values), "explanation");
}

}  // namespace
}  // namespace whence::kinds
