// Who does what of one job, and how the parts come together.
#include "experiment/shard.h"

#include <map>

#include "experiment/results.h"
#include "unit/experiment/support.h"

namespace whence::experiment {
namespace {

using whence::test::contains;
using whence::test::error_of;
using whence::test::TemporaryFolder;

Environment fake(const std::map<std::string, std::string>& variables) {
  return [variables](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
}

std::string automatic(const std::map<std::string, std::string>& variables) {
  return parse_shard("auto", fake(variables)).name();
}

TEST(Shard, BlocksAreAllThereOnceAndDoNotDependOnTheNumberOfShards) {
  for (const std::int64_t total : {0, 1, 7, 8, 9, 100})
    for (const std::int64_t count : {1, 2, 3, 7, 200}) {
      std::int64_t next = 0, most = 0, least = 1000;
      for (std::int64_t index = 0; index < count; ++index) {
        const std::vector<Block> blocks = Shard{index, count}.blocks(total, 4);
        most = std::max<std::int64_t>(most, std::ssize(blocks));
        least = std::min<std::int64_t>(least, std::ssize(blocks));
        for (const Block& block : blocks) {
          EXPECT_EQ(block.first, next);
          EXPECT_EQ(block.count, std::min<std::int64_t>(4, total - next));
          next += block.count;
        }
      }
      EXPECT_EQ(next, total);
      EXPECT_LE(most - least, 1);
    }
}

TEST(Shard, IsNamedOrFoundInTheEnvironment) {
  EXPECT_EQ(parse_shard("1/1").name(), "1-of-1");
  EXPECT_EQ(parse_shard("3/8").index, 2);
  EXPECT_EQ(
      automatic(
          {{"SLURM_ARRAY_TASK_ID", "7"}, {"SLURM_ARRAY_TASK_MIN", "4"}, {"SLURM_ARRAY_TASK_COUNT", "8"}}),
      "4-of-8");
  EXPECT_EQ(automatic({{"SLURM_ARRAY_TASK_ID", "10"},
                       {"SLURM_ARRAY_TASK_MIN", "0"},
                       {"SLURM_ARRAY_TASK_STEP", "5"},
                       {"SLURM_ARRAY_TASK_COUNT", "4"}}),
            "3-of-4");
  EXPECT_EQ(automatic({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "3"}}), "1-of-3");
  EXPECT_EQ(automatic({{"OMPI_COMM_WORLD_RANK", "4"}, {"OMPI_COMM_WORLD_SIZE", "5"}}), "5-of-5");
  EXPECT_EQ(automatic({{"RANK", "1"}, {"WORLD_SIZE", "2"}}), "2-of-2");
  // mpirun in a job of Slurm: every process inherits the number of the script.
  EXPECT_EQ(automatic({{"OMPI_COMM_WORLD_RANK", "1"},
                       {"OMPI_COMM_WORLD_SIZE", "2"},
                       {"SLURM_PROCID", "0"},
                       {"SLURM_NTASKS", "2"}}),
            "2-of-2");
  // Processes inside a task of an array divide its share; the script of one, which sbatch tells of SLURM_NTASKS, does not.
  const std::map<std::string, std::string> array = {{"SLURM_ARRAY_TASK_ID", "1"},
                                                    {"SLURM_ARRAY_TASK_MIN", "0"},
                                                    {"SLURM_ARRAY_TASK_COUNT", "3"},
                                                    {"SLURM_PROCID", "1"},
                                                    {"SLURM_NTASKS", "2"}};
  EXPECT_EQ(automatic(array), "2-of-3");
  auto step = array;
  step["SLURM_STEP_NUM_TASKS"] = "2";
  EXPECT_EQ(automatic(step), "4-of-6");
}

TEST(Shard, WhatIsNoneIsSaid) {
  for (const char* text :
       {"", "0/3", "4/3", "1", "1/", "/3", "-1/3", "1/3x", "1/99999999999999999999", "AUTO"})
    EXPECT_TRUE(contains(error_of([&] { parse_shard(text); }, ExitCode::usage), "must be I/N")) << text;
  const auto refused = [](const std::map<std::string, std::string>& variables, const char* part) {
    return contains(error_of([&] { automatic(variables); }, ExitCode::usage), part);
  };
  EXPECT_TRUE(refused({}, "finds none of"));
  EXPECT_TRUE(refused({{"RANK", "1"}}, "finds none of"));
  EXPECT_TRUE(refused({{"RANK", "one"}, {"WORLD_SIZE", "2"}}, "RANK is 'one'"));
  EXPECT_TRUE(refused({{"RANK", "2"}, {"WORLD_SIZE", "2"}}, "process 2 of 2"));
  EXPECT_TRUE(refused({{"SLURM_ARRAY_TASK_ID", "1"}}, "SLURM_ARRAY_TASK_COUNT"));
  EXPECT_TRUE(
      refused({{"SLURM_ARRAY_TASK_ID", "7"}, {"SLURM_ARRAY_TASK_MIN", "0"}, {"SLURM_ARRAY_TASK_COUNT", "3"}},
              "7 of 3"));
}

class Parts : public ::testing::Test {
 protected:
  static Job job() { return {"attribute", {{"count", "10"}}, 10, 4}; }
  /// Items first .. first + count - 1.
  static Results results(std::int64_t first, std::int64_t count) {
    Results results;
    results.rows = {{"x", at::arange(first, first + count, at::kFloat)}};
    for (std::int64_t i = 0; i < count; ++i) results.facts.push_back(first + i);
    results.about = {{"classes", {"a", "b"}}};
    results.sums = {{"seconds", 0.5}};
    return results;
  }
  void write(std::int64_t index, std::int64_t count, const Job& of = job(), const std::string& in = "parts") {
    const Shard shard{index, count};
    std::vector<Results> blocks;
    for (const Block& block : shard.blocks(of.total, of.block))
      blocks.push_back(results(block.first, block.count));
    write_part(part_folder(folder_ / in, shard), of, shard, join(blocks));
  }
  std::string refusal(const std::vector<std::filesystem::path>& folders) {
    return error_of([&] { merge_parts(folders); }, ExitCode::failed);
  }

  TemporaryFolder folder_;
};

TEST_F(Parts, ComeTogetherInTheirOrder) {
  for (std::int64_t i = 4; i >= 0; --i) write(i, 5);  // three blocks: two of the shards have nothing to do
  const MergedParts merged = merge_parts({folder_ / "parts"});
  EXPECT_TRUE(merged.results.row("x").equal(at::arange(10, at::kFloat)));
  EXPECT_EQ(merged.results.facts.size(), 10u);
  EXPECT_EQ(merged.results.sums.at("seconds"), 1.5);
  EXPECT_EQ(merged.results.about, results(0, 1).about);
  EXPECT_EQ(merged.first.filename(), "shard-1-of-5");
  EXPECT_TRUE(is_part_done(part_folder(folder_ / "parts", {1, 5}), job(), {1, 5}));
}

TEST_F(Parts, ThatAreMissingDoubledForeignOrDamagedAreSaid) {
  EXPECT_TRUE(contains(refusal({folder_ / "parts"}), "holds no finished part"));
  write(0, 3);
  EXPECT_TRUE(contains(refusal({folder_ / "parts"}),
                       "2-of-3, 3-of-3 are missing; run the same command with --shard 2/3"));
  write(2, 3);
  EXPECT_TRUE(contains(refusal({folder_ / "parts"}), "2-of-3 is missing"));
  write(1, 3);
  write(1, 3, job(), "again");
  EXPECT_TRUE(contains(refusal({folder_ / "parts", folder_ / "again"}), "shard 2-of-3 is there twice"));
  write(1, 2, job(), "halves");
  EXPECT_TRUE(contains(refusal({folder_ / "parts", folder_ / "halves"}), "merge the shards of one command"));
  Job other = job();
  other.question["count"] = "11";
  write(1, 3, other);
  EXPECT_TRUE(contains(refusal({folder_ / "parts"}), "count is \"10\" there and \"11\" here"));
  EXPECT_TRUE(contains(error_of(
                           [&] {
                             is_part_done(part_folder(folder_ / "parts", {1, 3}), job(), {1, 3});
                           },
                           ExitCode::failed),
                       "holds a part of other work"));
  write_file(folder_ / "parts/shard-2-of-3/part.json", R"({"format": 1})");
  EXPECT_TRUE(contains(refusal({folder_ / "parts"}), "damaged"));
  write_file(folder_ / "parts/shard-2-of-3/part.json", R"({"format": 0})");
  EXPECT_TRUE(contains(refusal({folder_ / "parts"}), "another version"));
}

TEST_F(Parts, OfModelsThatDisagreeAreSaid) {
  Results other = results(4, 4);
  other.about["classes"] = {"a", "c"};
  EXPECT_TRUE(contains(error_of([&] { join({results(0, 4), other}); }, ExitCode::failed), "do not agree"));
}

TEST_F(Parts, ATensorThatABlockLacksIsLeftOut) {
  Results more = results(0, 4);
  more.rows.push_back({"y", at::zeros({4})});
  more.notes["y"] = "why";
  const Results joined = join({more, results(4, 4)});
  EXPECT_FALSE(joined.row("y").defined());
  EXPECT_EQ(joined.row("x").size(0), 8);
  EXPECT_EQ(joined.notes.at("y"), "why");
}

}  // namespace
}  // namespace whence::experiment
