// A run about texts, and what the program says of texts that a person types.
#include "cli/program.h"
#include "support/files.h"
#include "support/script_module.h"

namespace whence {
namespace {

using test::contains;
using test::put;
using test_support::is_error;
using test_support::Workplace;

constexpr const char* kTextRecipe = R"(title = "reviews"
[data]
set = "texts"
path = "reviews.csv"
[text]
least = 1
test_texts = 10
samples = [6, 4]
shown = 2
[text_classifier]
epochs = 40
batch = 8
embedding = 8
hidden = 8
learning_rate = 0.02
[language_model]
epochs = 1
[text_explanation]
steps = 90
batch = 8
noncausal = 3
embedding = 8
encoder_hidden = 8
decoder_hidden = 16
guide = 8
sampled_words = 50
rollouts = 8
sure = 0.1
learning_rate = 0.01
)";

void write_reviews(const Workplace& workplace) {
  std::string csv = "text,label\n";
  for (const char* article : {"a", "the"})
    for (const char* noun : {"film", "plot", "actor", "story"})
      for (const char* adjective : {"good", "great", "fine", "bad", "dull", "poor"})
        csv +=
            fmt::format("{} {} is {},{}\n", article, noun, adjective,
                        std::string("good great fine").find(adjective) == std::string::npos ? "no" : "yes");
  put(workplace / "reviews.csv", csv);
}

class Texts : public ::testing::Test {
 protected:
  Texts() {
    write_reviews(workplace_);
    put(workplace_ / "recipe.toml", kTextRecipe);
  }
  nlohmann::json json(const std::vector<std::string>& arguments) const {
    return nlohmann::json::parse(workplace_.must_run(arguments).out);
  }

  Workplace workplace_;
};

/// The fluency term asks a language model of its own, and only then one is trained.
TEST_F(Texts, FluencyTerm) {
  workplace_.must_run({"train", "recipe.toml", "--out", "run", "--quiet", "--set",
                       "text_explanation.fluency_weight=2", "--set", "text_explanation.repeat_weight=1",
                       "--set", "text_explanation.steps=40"});
  EXPECT_TRUE(std::filesystem::exists(workplace_ / "run/text-fluency-model.safetensors"));
  const std::string log = read_file(workplace_ / "run/log.jsonl");
  for (const char* term : {"fluency", "repeats"}) EXPECT_TRUE(contains(log, term)) << term;
  workplace_.must_run(
      {"train", "recipe.toml", "--out", "plain", "--quiet", "--set", "text_explanation.steps=4"});
  EXPECT_FALSE(std::filesystem::exists(workplace_ / "plain/text-fluency-model.safetensors"));
}

TEST_F(Texts, CommandsOnARun) {
  workplace_.must_run({"run", "recipe.toml", "--out", "run", "--quiet"});
  const std::string text = "The film is good";
  const nlohmann::json found = json({"counterfactual", "run", "--text", text, "--json"}).at(0);
  EXPECT_EQ(found.at("text"), "the film is good");
  if (found.at("found").get<bool>()) {
    EXPECT_NE(found.at("counterfactual").at("class"), found.at("reconstruction").at("class"));
  }
  const auto shown = workplace_.must_run({"sweep", "run", "--text", text, "--steps", "3"});
  for (const char* part :
       {"the text", "the film is good", "reconstruction", "alpha_1 -3.00", "alpha_1 +3.00", "yes "})
    EXPECT_TRUE(contains(shown.out, part)) << shown.out;
  const nlohmann::json sweep =
      json({"sweep", "run", "--text", text, "--steps", "3", "--factor", "beta_2", "--json"}).at(0);
  EXPECT_EQ(sweep.at("beta_2").size(), 3u);
  EXPECT_EQ(sweep.at("beta_2").at(1).at("text"), sweep.at("reconstruction").at("text")) << "0 is added";
  EXPECT_EQ(json({"flow", "run", "--samples", "6x4", "--json"}).at("factors").size(), 4u);
  EXPECT_EQ(json({"flow", "run", "--json"}).at("samples"), nlohmann::json({100, 100}));
  EXPECT_EQ(json({"ablate", "run", "--json"}).at("replaced").size(), 4u);
  EXPECT_TRUE(json({"trust", "run", "--randomized", "1", "--json"}).contains("leak"));

  const nlohmann::json metrics = read_json(workplace_ / "run/metrics.json").at("text");
  EXPECT_EQ(metrics.at("ablation"), json({"ablate", "run", "--count", "10", "--json"}));
  const std::string page = read_file(workplace_ / "run/report.html");
  for (const char* part :
       {"The texts that alpha moves most", "Information flow", "Ablation", "Where texts lie"})
    EXPECT_TRUE(contains(page, part)) << part;
  for (const char* figure : {"information-flow", "ablation", "plane"})
    EXPECT_TRUE(std::filesystem::exists(workplace_ / fmt::format("run/figures/{}.svg", figure))) << figure;

  const auto unknown =
      workplace_.must_run({"counterfactual", "run", "--text", "the xyzzy film is good indeed"});
  EXPECT_TRUE(contains(unknown.err, "does not know: xyzzy, indeed")) << unknown.err;
  EXPECT_TRUE(is_error(workplace_.run({"counterfactual", "run", "--text", " "}), 2, "has no word"));
  EXPECT_TRUE(
      is_error(workplace_.run({"counterfactual", "run", "--text", "xyzzy"}), 2, "knows no word of 'xyzzy'"));
  EXPECT_TRUE(
      is_error(workplace_.run({"sweep", "run", "--factor", "alpha_2"}), 2, "there is no factor 'alpha_2'"));
  EXPECT_TRUE(
      is_error(workplace_.run({"trust", "run", "--with", "run"}), 2, "--with compares runs about images"));
}

TEST_F(Texts, ExplainAClassifierOfTheUsers) {
  put(workplace_ / "words.txt",
      "a\nthe\nfilm\nplot\nactor\nstory\nis\ngood\ngreat\nfine\nbad\ndull\npoor\n<unk>\n");
  at::Tensor table = at::zeros({14, 2});
  table.narrow(0, 7, 3).select(1, 1).fill_(20);
  table.narrow(0, 10, 3).select(1, 0).fill_(20);
  test::save_expression(workplace_ / "mine.pt", "torch.mean(torch.embedding(self.table, x), 1)",
                        {{"table", table}});
  const std::vector<std::string> run = {"run",   "recipe.toml",
                                        "--out", "run",
                                        "--set", "text_classifier.file=mine.pt",
                                        "--set", "text_classifier.vocabulary=words.txt"};
  workplace_.must_run(run);
  const nlohmann::json metrics = read_json(workplace_ / "run/metrics.json").at("text");
  EXPECT_EQ(metrics.at("classifier").at("test_accuracy"), 1);
  EXPECT_EQ(json({"counterfactual", "run", "--text", "the film is good", "--json"}).at(0).at("class"), "yes");
  put(workplace_ / "words.txt", "film\n<unk>\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\nm\n");
  std::vector<std::string> other = run;
  other[3] = "other";
  EXPECT_TRUE(is_error(workplace_.run(other), 1, "of the words of the texts; give the vocabulary"));
}

/// "actor" is two pieces; [CLS], which stands in front, keeps the answers to neutral texts in "no".
TEST_F(Texts, ExplainAClassifierOfWordPieces) {
  put(workplace_ / "vocab.txt",
      "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nthe\nfilm\nplot\nact\n##"
      "or\nstory\nis\ngood\ngreat\nfine\nbad\ndull\npoor\n");
  at::Tensor table = at::zeros({18, 2});
  table.narrow(0, 12, 3).select(1, 1).fill_(20);
  table.narrow(0, 15, 3).select(1, 0).fill_(20);
  table[2][0] = 5;
  test::save_expression(workplace_ / "mine.pt", "torch.mean(torch.embedding(self.table, x), 1)",
                        {{"table", table}});
  const std::vector<std::string> run = {"run",   "recipe.toml",
                                        "--out", "run",
                                        "--set", "data.word_pieces=vocab.txt",
                                        "--set", "text_classifier.file=mine.pt",
                                        "--set", "text_classifier.vocabulary=vocab.txt"};
  workplace_.must_run(run);
  EXPECT_EQ(read_json(workplace_ / "run/metrics.json").at("text").at("classifier").at("test_accuracy"), 1);
  const nlohmann::json asked = json({"sweep", "run", "--text", "The Actor is good", "--json"}).at(0);
  EXPECT_EQ(asked.at("text"), "the actor is good");
  const double logit = (20 - 5) / 7.0;  // the mean of [CLS], five pieces and [SEP]
  EXPECT_NEAR(asked.at("probabilities").at(1).get<double>(), 1 / (1 + std::exp(-logit)), 1e-5);
  put(workplace_ / "vocab.txt", "film\nplot\n");
  EXPECT_TRUE(is_error(
      workplace_.run({"run", "recipe.toml", "--out", "other", "--set", "data.word_pieces=vocab.txt"}), 1,
      "no line '[UNK]', so it is no list of word pieces"));
}

}  // namespace
}  // namespace whence
