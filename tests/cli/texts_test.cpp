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

  const nlohmann::json metrics = read_json(workplace_ / "run/metrics.json").at("text");
  EXPECT_EQ(metrics.at("ablation"), json({"ablate", "run", "--count", "10", "--json"}));
  const std::string page = read_file(workplace_ / "run/report.html");
  for (const char* part :
       {"The texts that alpha moves most", "Information flow", "Ablation", "Where texts lie", "Checks",
        "Reconstructions that keep their text", "classifiers of the same architecture with random weights"})
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
}

/// What the report says of trust, the verb says, too; other draws and other classifiers are other numbers.
TEST_F(Texts, ChecksOfTrust) {
  workplace_.must_run({"run", "recipe.toml", "--out", "run", "--quiet"});
  workplace_.must_run({"run", "recipe.toml", "--out", "other", "--quiet", "--set", "run.seed=1"});
  const nlohmann::json metrics = read_json(workplace_ / "run/metrics.json").at("text");
  const nlohmann::json trust = json({"trust", "run", "--json"});
  EXPECT_EQ(metrics.at("trust"), trust);
  const double alpha = std::max(0.0, metrics.at("flow").at("alpha").at("nats").get<double>()),
               beta = std::max(0.0, metrics.at("flow").at("beta").at("nats").get<double>());
  ASSERT_GT(alpha + beta, 0);
  EXPECT_NEAR(trust.at("leak").at("value").get<double>(), beta / (alpha + beta), 1e-12);
  EXPECT_EQ(metrics.at("flow").at("beta_share"), trust.at("leak").at("value"));
  EXPECT_EQ(trust.at("randomization").at("randomized").size(), 5u);
  for (const char* part : {"alpha_share", "randomized_share"})
    EXPECT_LE(trust.at("randomization").at(part).at("value").get<double>(), 1) << part;

  const nlohmann::json sampled =
      json({"trust", "run", "--samples", "9x7", "--randomized", "2", "--with", "other", "--json"});
  EXPECT_EQ(sampled.at("randomization").at("randomized").size(), 2u);
  EXPECT_NE(sampled.at("leak"), trust.at("leak"));
  const nlohmann::json flow = json({"flow", "run", "--samples", "9x7", "--json"});
  const double sampled_alpha = std::max(0.0, flow.at("alpha").at("nats").get<double>()),
               sampled_beta = std::max(0.0, flow.at("beta").at("nats").get<double>());
  EXPECT_NEAR(sampled.at("leak").at("value").get<double>(), sampled_beta / (sampled_alpha + sampled_beta),
              1e-6);
  EXPECT_EQ(sampled.at("seeds").at("alpha").at(0).at("factor"), "alpha_1");
  const double agreement = sampled.at("seeds").at("alpha_subspace");
  EXPECT_TRUE(agreement >= 0 && agreement <= 1) << agreement;
  // A run agrees with itself.
  EXPECT_NEAR(json({"trust", "run", "--with", "run", "--randomized", "0", "--json"})
                  .at("seeds")
                  .at("alpha_subspace")
                  .get<double>(),
              1, 1e-6);
  const auto shown = workplace_.must_run({"trust", "run", "--randomized", "1"});
  for (const char* part : {"share of alpha, randomized classifiers", "flow of alpha, a randomized classifier",
                           "reconstructions that keep their text's answer"})
    EXPECT_TRUE(contains(shown.out, part)) << shown.out;
  EXPECT_TRUE(is_error(workplace_.run({"trust", "run", "--with", "nowhere"}), 1, "nowhere"));

  workplace_.must_run(
      {"run", "recipe.toml", "--out", "seeds", "--seeds", "2", "--quiet", "--set", "trust.randomized=0"});
  const nlohmann::json spread = read_json(workplace_ / "seeds/seeds.json").at("figures");
  EXPECT_EQ(spread.at("text_seed_agreement").at("values").size(), 2u);
  EXPECT_NEAR(spread.at("text_seed_agreement").at("most").get<double>(), agreement, 1e-6)
      << "seeds 0 and 1 are the two runs";
}

/// An option that a run about texts has no use for is refused, not dropped; the others work.
TEST_F(Texts, OptionsOfTheCommands) {
  workplace_.must_run({"run", "recipe.toml", "--out", "run", "--quiet"});
  const std::vector<std::vector<std::string>> refused = {
      {"counterfactual", "--out", "figures"}, {"counterfactual", "--images", "1"},
      {"counterfactual", "--block", "10"},    {"counterfactual", "--picture", "a.png"},
      {"sweep", "--out", "figures"},          {"sweep", "--probabilities"},
      {"sweep", "--picture", "a.png"},        {"ablate", "--block", "10"}};
  for (std::vector<std::string> arguments : refused) {
    const std::string option = arguments[1];
    arguments.insert(arguments.begin() + 1, "run");
    EXPECT_TRUE(is_error(workplace_.run(arguments), 2,
                         option + " is for images; leave it out, because run is about texts"));
  }
  for (const char* command : {"counterfactual", "sweep", "ablate", "trust"})
    EXPECT_TRUE(
        is_error(workplace_.run({command, "run", "--data", "mnist"}), 2, "--data is for model files"));
  for (const char* command : {"morph", "modules", "causes", "export", "visualize", "attribute"})
    EXPECT_TRUE(is_error(workplace_.run({command, "run"}), 1, "run is about texts, but this"));
  EXPECT_TRUE(contains(workplace_.must_run({"recipe", "run"}).out, "[text_classifier]"));
  EXPECT_FALSE(std::filesystem::exists(workplace_ / "figures"));
  EXPECT_TRUE(is_error(workplace_.run({"sweep", "run", "--text", "the film", "--rows", "2"}), 2,
                       "--rows draws test texts, and --text gives texts of your own"));
  EXPECT_TRUE(is_error(workplace_.run({"counterfactual", "run", "--text", "the film", "--count", "2"}), 2,
                       "--count draws test texts"));

  workplace_.must_run({"ablate", "run", "--out", "drawn"});
  EXPECT_TRUE(std::filesystem::exists(workplace_ / "drawn/ablation.svg"));
  EXPECT_EQ(json({"sweep", "run", "--rows", "3", "--steps", "2", "--json"}).size(), 3u);
  const auto lines = [](const std::string& text, const std::string& part) {
    std::int64_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
  };
  const auto counted = workplace_.must_run({"counterfactual", "run", "--count", "3"});
  EXPECT_EQ(lines(counted.out, "the text "), 3) << counted.out;
  EXPECT_TRUE(contains(counted.out, " of 3 texts"));
  EXPECT_EQ(json({"counterfactual", "run", "--count", "3", "--json"}).size(), 3u);
}

TEST_F(Texts, SearchesForCounterfactuals) {
  workplace_.must_run({"run", "recipe.toml", "--out", "run", "--quiet"});
  const nlohmann::json any = json({"counterfactual", "run", "--json"});
  ASSERT_GT(any.size(), 4u);
  double found = 0;
  for (const char* to : {"yes", "no"}) {
    const nlohmann::json asked = json({"counterfactual", "run", "--to", to, "--json"});
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const bool already = asked[i].at("reconstruction").at("class") == to;
      EXPECT_EQ(asked[i].at("already"), already);
      if (!already) {
        EXPECT_EQ(asked[i].at("found"), any[i].at("found"));
      }
      if (!asked[i].at("found").get<bool>()) continue;
      ++found;
      EXPECT_EQ(asked[i].at("counterfactual"), any[i].at("counterfactual"))
          << "with two classes any other is this one";
      EXPECT_EQ(asked[i].at("counterfactual").at("class"), to);
      const double alpha = asked[i].at("alpha").at(0),
                   moved = asked[i].at("counterfactual").at("alpha").at(0);
      EXPECT_NEAR(asked[i].at("distance").get<double>(), std::abs(moved - alpha), 1e-6);
    }
  }
  EXPECT_GT(found, 0);
  for (const nlohmann::json& each : json({"counterfactual", "run", "--probability", "0.6", "--json"}))
    if (each.at("found").get<bool>()) {
      const std::vector<double> p = each.at("counterfactual").at("probabilities");
      EXPECT_GE(*std::max_element(p.begin(), p.end()), 0.6);
    }
  for (const nlohmann::json& each :
       json({"counterfactual", "run", "--radius", "0.5", "--step", "0.1", "--json"}))
    if (each.at("found").get<bool>()) {
      EXPECT_LE(std::abs(each.at("counterfactual").at("alpha").at(0).get<double>()), 0.5);
      const double steps = each.at("distance").get<double>() / 0.1;
      EXPECT_NEAR(steps, std::round(steps), 1e-4);
    }
  const auto none = workplace_.must_run({"counterfactual", "run", "--radius", "1e-9", "--count", "2"});
  EXPECT_TRUE(contains(none.out, "no alpha between -1e-09 and +1e-09 changes the answer")) << none.out;
  EXPECT_TRUE(is_error(workplace_.run({"counterfactual", "run", "--to", "yess"}), 2, "did you mean 'yes'"));
}

/// Every alpha is swept, flips texts, and takes part in counterfactuals.
TEST_F(Texts, SeveralAlphas) {
  workplace_.must_run({"run", "recipe.toml", "--out", "run", "--quiet", "--set", "text_explanation.causal=2",
                       "--set", "text_explanation.steps=250"});
  const nlohmann::json metrics = read_json(workplace_ / "run/metrics.json").at("text");
  const nlohmann::json& rows = metrics.at("sweeps").at(0);
  ASSERT_EQ(rows.size(), 2u + 2 * 4);
  EXPECT_EQ(rows.at(2).at("name"), "alpha_1 = -2");
  EXPECT_EQ(rows.at(9).at("name"), "alpha_2 = +2");
  const nlohmann::json& flips = metrics.at("flips");
  ASSERT_EQ(flips.at("of").size(), 2u);
  double least = 0, most = 0;
  for (const nlohmann::json& each : flips.at("of")) {
    least = std::max(least, each.at("mean").get<double>());
    most += each.at("mean").get<double>();
  }
  EXPECT_GE(flips.at("mean").get<double>(), least);
  EXPECT_LE(flips.at("mean").get<double>(), most + 1e-12);
  for (const nlohmann::json& each : metrics.at("moved"))
    EXPECT_TRUE(each.at("factor") == "alpha_1" || each.at("factor") == "alpha_2");
  const std::string page = read_file(workplace_ / "run/report.html");
  for (const char* part : {"alpha_1 = -2", "alpha_2 = +1", "flips from -2 to +2 of alpha_2"})
    EXPECT_TRUE(contains(page, part)) << part;

  std::int64_t oblique = 0;
  for (const nlohmann::json& each : json({"counterfactual", "run", "--json", "--rays", "24"})) {
    if (!each.at("found").get<bool>()) continue;
    const std::vector<double> own = each.at("alpha"), moved = each.at("counterfactual").at("alpha");
    ASSERT_EQ(moved.size(), 2u);
    EXPECT_NEAR(each.at("distance").get<double>(), std::hypot(moved[0] - own[0], moved[1] - own[1]), 1e-6);
    oblique += std::abs(moved[0] - own[0]) > 1e-6 && std::abs(moved[1] - own[1]) > 1e-6 ? 1 : 0;
    EXPECT_NE(each.at("counterfactual").at("class"), each.at("reconstruction").at("class"));
  }
  EXPECT_GT(oblique, 0) << "none moves both alphas";
  const auto shown = workplace_.must_run({"counterfactual", "run", "--text", "the film is good"});
  EXPECT_TRUE(contains(shown.out, "alpha_1 = ") || contains(shown.out, "no move of the alphas up to 3"))
      << shown.out;
}

TEST_F(Texts, AggressiveTrainingAndDecay) {
  workplace_.must_run({"train", "recipe.toml", "--out", "run", "--quiet", "--set",
                       "text_explanation.aggressive_iterations=4", "--set",
                       "text_explanation.aggressive_window=2", "--set", "text_explanation.aggressive_check=5",
                       "--set", "text_explanation.steps=40", "--set", "text_classifier.schedule=decay"});
  const std::string log = read_file(workplace_ / "run/log.jsonl");
  for (const char* reading : {"encoder steps", "I(x; z)"}) EXPECT_TRUE(contains(log, reading)) << reading;
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

/// The same with byte pairs: "actor" is " act" and "or", "<s>" stands in front, and "<unk>" is no piece of any text.
TEST_F(Texts, ExplainAClassifierOfBytePairs) {
  const std::vector<std::string> pieces = {"<s>",    "</s>",  "<unk>", "Ġa",     "Ġthe", "Ġfilm",
                                           "Ġplot",  "Ġact",  "or",    "Ġstory", "Ġis",  "Ġgood",
                                           "Ġgreat", "Ġfine", "Ġbad",  "Ġdull",  "Ġpoor"};
  nlohmann::json vocab;
  for (std::size_t i = 0; i < pieces.size(); ++i) vocab[pieces[i]] = i;
  const nlohmann::json tokenizer = {
      {"model",
       {{"type", "BPE"},
        {"vocab", vocab},
        {"ignore_merges", true},
        {"merges", {"o r", "Ġ a", "c t", "Ġa ct"}}}},
      {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", true}}},
      {"post_processor", {{"type", "RobertaProcessing"}, {"cls", {"<s>", 0}}, {"sep", {"</s>", 1}}}},
      {"added_tokens", {{{"id", 2}, {"content", "<unk>"}}}}};
  put(workplace_ / "tokenizer.json", tokenizer.dump());
  at::Tensor table = at::zeros({17, 2});
  table.narrow(0, 11, 3).select(1, 1).fill_(20);
  table.narrow(0, 14, 3).select(1, 0).fill_(20);
  table[0][0] = 5;
  test::save_expression(workplace_ / "mine.pt", "torch.mean(torch.embedding(self.table, x), 1)",
                        {{"table", table}});
  workplace_.must_run({"run", "recipe.toml", "--out", "run", "--set", "data.word_pieces=tokenizer.json",
                       "--set", "text_classifier.file=mine.pt", "--set",
                       "text_classifier.vocabulary=tokenizer.json"});
  EXPECT_EQ(read_json(workplace_ / "run/metrics.json").at("text").at("classifier").at("test_accuracy"), 1);
  const nlohmann::json asked = json({"sweep", "run", "--text", "the actor is good", "--json"}).at(0);
  EXPECT_EQ(asked.at("text"), "the actor is good");
  const double logit = (20 - 5) / 7.0;  // the mean of "<s>", five pieces and "</s>"
  EXPECT_NEAR(asked.at("probabilities").at(1).get<double>(), 1 / (1 + std::exp(-logit)), 1e-5);
  put(workplace_ / "tokenizer.json",
      R"({"model": {"type": "Unigram", "vocab": {"a": 0}}, "added_tokens": [{"id": 1, "content": "<unk>"}]})");
  EXPECT_TRUE(is_error(
      workplace_.run({"run", "recipe.toml", "--out", "other", "--set", "data.word_pieces=tokenizer.json"}), 1,
      "the model is 'Unigram', but whence knows WordPiece and BPE"));
}

}  // namespace
}  // namespace whence
