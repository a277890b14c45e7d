// Every wrong value gets one sentence with file, line, key and what is allowed, and exit code 2.
#include "unit/config/example.h"

namespace whence::config {
namespace {

using whence::test::contains;
using whence::test::usage_error_of;

std::string error_in(const std::string& text) {
  return usage_error_of([&] { parse(example(), text, "bad.toml"); });
}
std::string error_with(const std::string& setting) {
  return usage_error_of([&] { parse(example(), "", "least.toml", {setting}); });
}
const Key& key_of(std::string_view name) {
  const auto& keys = example()[2].keys;
  return *std::find_if(keys.begin(), keys.end(), [&](const Key& key) { return key.name == name; });
}
std::string error_of_flag(std::string_view key, std::string_view typed) {
  Values values;
  return usage_error_of([&] { assign(key_of(key), typed, "--flag", values); });
}

TEST(ConfigErrors, NameTheNearestKey) {
  EXPECT_EQ(error_in("\n[explanation]\nlamda = 1.0\n"),
            "bad.toml:3: there is no recipe key 'explanation.lamda' (did you mean 'explanation.lambda'?); "
            "`whence recipe --reference` lists them all");
  EXPECT_TRUE(contains(error_in("[data]\nlambda = 1.0\n"), "did you mean 'explanation.lambda'?"));
  EXPECT_TRUE(
      contains(error_in("[explanations]\nlambda = 1.0\n"),
               "bad.toml:1: there is no recipe section [explanations] (did you mean 'explanation'?)"));
  EXPECT_TRUE(contains(error_in("titel = \"x\"\n"),
                       "bad.toml:1: there is no recipe key 'titel' (did you mean 'title'?)"));
  EXPECT_TRUE(contains(error_with("explanation.step=3"), "--set explanation.step=3: there is no recipe key"));
  EXPECT_TRUE(contains(error_with("steps=3"), "'explanation.steps'"));
}

TEST(ConfigErrors, NameTheNearestChoice) {
  EXPECT_TRUE(contains(error_with("explanation.sampling=nestet"),
                       "must be one of 'nested', 'crossed' (did you mean 'nested'?)"));
  EXPECT_TRUE(contains(error_with("explanation.methods=gradiant,occlusion"), "did you mean 'gradient'?"));
}

TEST(ConfigErrors, NotToml) {
  EXPECT_TRUE(contains(error_in("[data\nset = 3\n"), "bad.toml:1: not a recipe: "));
  EXPECT_TRUE(contains(error_in("title = \"a\"\ntitle = \"b\"\n"), "bad.toml:2: not a recipe: "));
  EXPECT_TRUE(contains(error_in("data = 3\n"), "'data' is a section"));
  EXPECT_TRUE(contains(error_in("[data.path]\nx = 1\n"), "data.path is a section"));
}

/// Values that the key must refuse, in TOML.
struct Wrong {
  std::vector<std::string> operator()(const Integer& t) const {
    return {std::to_string(t.least - 1), "1.5", "true", "\"1\"", "[1]", "nan"};
  }
  std::vector<std::string> operator()(const Number& t) const {
    return {fmt::format("{}", t.least - 1), t.above_least ? fmt::format("{}", t.least) : "inf", "nan",
            "\"1\"", "true"};
  }
  std::vector<std::string> operator()(const OptionalNumber&) const { return {"nan", "\"1\"", "true", "1.5"}; }
  std::vector<std::string> operator()(const Toggle&) const { return {"1", "\"true\"", "[]"}; }
  std::vector<std::string> operator()(const Text&) const { return {"1", "true", "[\"a\"]"}; }
  std::vector<std::string> operator()(const Path&) const { return {"1", "true", "[\"a\"]"}; }
  std::vector<std::string> operator()(const Integers& t) const {
    return {std::to_string(t.least), fmt::format("[{}]", t.least - 1), "[1.5]", "[\"1\"]", "[[1]]"};
  }
  std::vector<std::string> operator()(const Pair&) const {
    return {"[200]", "[200, 200, 200]", "[200, 1]", "[0, 0]", "200", "[1.5, 2.5]"};
  }
  std::vector<std::string> operator()(const Texts&) const { return {"\"a\"", "[1]", "[[\"a\"]]"}; }
  std::vector<std::string> operator()(const Matrix&) const {
    return {"1", "[]", "[1]", "[[]]", "[[1, 2], [3]]", "[[\"a\"]]", "[[inf]]"};
  }
  std::vector<std::string> operator()(const Choice&) const { return {"1", "\"\"", "\"neither\"", "true"}; }
  std::vector<std::string> operator()(const Choices&) const { return {"1", "\"gradient\"", "[\"\"]", "[1]"}; }
};

TEST(ConfigErrors, EveryKeyRefusesWrongTypesAndRanges) {
  for (const Section& section : example()) {
    const bool top = section.name.empty();
    for (const Key& key : section.keys) {
      for (const std::string& value : std::visit(Wrong{}, key.type)) {
        const std::string sentence = error_in((top ? "" : fmt::format("[{}]\n", section.name)) +
                                              fmt::format("{} = {}\n", key.name, value));
        EXPECT_TRUE(
            contains(sentence, fmt::format("bad.toml:{}: {} is ", top ? 1 : 2, full_name(section, key))));
        EXPECT_TRUE(contains(sentence, allowed(key.type))) << value;
        EXPECT_EQ(sentence.find('\n'), std::string::npos) << sentence;
      }
    }
  }
}

TEST(ConfigErrors, Settings) {
  EXPECT_EQ(error_with("explanation.causal=0"),
            "--set explanation.causal=0: explanation.causal is 0, but must be an integer from 1 to 64");
  EXPECT_TRUE(contains(error_with("explanation.lambda=-0.1"), "is -0.1, but must be a number of at least 0"));
  EXPECT_TRUE(contains(error_with("explanation.causal=65"), "is 65, but must be at most 64"));
  EXPECT_TRUE(contains(error_with("explanation.samples=0x200"), "must be a list of two integers from 2"));
  EXPECT_TRUE(contains(error_with("explanation.causal"), "expected section.key=value"));
  EXPECT_TRUE(contains(error_with("explanation.causal="), "explanation.causal is empty"));
  EXPECT_TRUE(contains(error_with("explanation.causal=two"), "explanation.causal is 'two'"));
  EXPECT_TRUE(contains(error_with("explanation.causal=2\ndata.x=3"), "explanation.causal"));
  EXPECT_TRUE(contains(error_with("title=\xff"), "but must be a string"));
}

TEST(ConfigErrors, FlagsAreShownAsTyped) {
  EXPECT_EQ(error_of_flag("samples", "0x200"),
            "--flag is 0x200, but must be a list of two integers from 2 to 1000, such as 200x200");
  EXPECT_EQ(error_of_flag("latents", "3,0"), "--flag is 3,0, but must be a list of integers from 1 to 64");
  EXPECT_EQ(error_of_flag("weight", "0"), "--flag is 0, but must be a number above 0");
  EXPECT_EQ(error_of_flag("weight", "one"), "--flag is 'one', but must be a number above 0");
}

TEST(ConfigErrors, RequiredKeys) {
  Schema schema = {example()[2]};
  schema[0].keys[0].required = true;
  EXPECT_EQ(usage_error_of([&] { parse(schema, "[explanation]\ncausal = 2\n", "a.toml"); }),
            "a.toml: explanation.steps is missing: Steps of training.");
  EXPECT_NO_THROW(parse(schema, "", "a.toml", {"explanation.steps=3"}));
  EXPECT_TRUE(contains(reference(schema[0]), "Steps of training. Required. |"));
}

}  // namespace
}  // namespace whence::config
