// Values in, values out, and the table that documents them.
#include "unit/config/example.h"

namespace whence::config {
namespace {

using whence::test::contains;

Values with(const std::vector<std::string>& settings) { return parse(example(), "", "x.toml", settings); }

TEST(Config, ValuesAreOneObjectOfEachType) {
  Values values;
  values.get<Search>().steps = 3;
  const Values copy = values;
  values.get<Search>().steps = 4;
  EXPECT_EQ(copy.get<Search>().steps, 3);
  EXPECT_EQ(copy.get<Place>().title, "");
}

/// A value of the key's type that is not the default, as --set takes it.
struct Other {
  std::string operator()(const Integer&) const { return "7"; }
  std::string operator()(const Number&) const { return "0.25"; }
  std::string operator()(const OptionalNumber&) const { return "0.75"; }
  std::string operator()(const Toggle&) const { return "true"; }
  std::string operator()(const Text&) const { return "a \"quoted\" text"; }
  std::string operator()(const Path&) const { return "/somewhere/else"; }
  std::string operator()(const Integers&) const { return "1,2"; }
  std::string operator()(const Pair&) const { return "31x17"; }
  std::string operator()(const Texts&) const { return R"(["a, b", "c"])"; }
  std::string operator()(const Matrix&) const { return "[[1, 0.5], [0.5, 2]]"; }
  std::string operator()(const Choice&) const { return "crossed"; }
  std::string operator()(const Choices&) const { return "occlusion,gradient"; }
};

TEST(Config, EveryKeyCanBeSetAndSurvivesBeingWritten) {
  std::vector<std::string> settings;
  for (const Section& section : example())
    for (const Key& key : section.keys)
      settings.push_back(full_name(section, key) + "=" + std::visit(Other{}, key.type));
  const Values changed = with(settings);
  const Values again = parse(example(), to_toml(example(), changed), "again.toml");
  const std::vector<std::string_view> all = {"title", "source", "data", "explanation"};
  const nlohmann::json defaults = to_json(example(), Values(), all), value = to_json(example(), changed, all);
  EXPECT_EQ(value.size(), 15u);
  for (const auto& [name, each] : value.items()) EXPECT_NE(each, defaults.at(name)) << name;
  EXPECT_EQ(to_json(example(), again, all), value);
  EXPECT_EQ(to_toml(example(), again), to_toml(example(), changed));
}

TEST(Config, WritesTomlAsAPersonWould) {
  EXPECT_EQ(to_toml(example(), with({"explanation.weight=3", "explanation.lambda=1e-5", "title=A \\ \"B\""})),
            "title = \"A \\\\ \\\"B\\\"\"\nsource = \"\"\n\n[data]\npath = \"\"\nclass_names = []\n\n"
            "[explanation]\nsteps = 8000\ncausal = 1\nlambda = 1e-05\nweight = 3.0\nsampling = \"nested\"\n"
            "samples = [200, 200]\nfresh = false\nlatents = []\nmethods = []\n");
}

TEST(Config, PathsInTheFileAreRelativeToItAndInSettingsToTheCurrentFolder) {
  const std::string text = "[data]\npath = \"../d\"\n";
  EXPECT_EQ(parse(example(), text, "/a/b/x.toml").get<Place>().path, "/a/d");
  EXPECT_EQ(with({"data.path=c.pt"}).get<Place>().path, (std::filesystem::current_path() / "c.pt").string());
}

TEST(Config, SettingsTakePrecedenceAndTheRestIsKept) {
  Values values;
  values.get<Search>().causal = 3;
  parse_into(values, example(), "[explanation]\nsteps = 3\nlatents = [4, 5]\n", "x.toml",
             {"explanation.steps=5"});
  EXPECT_EQ(values.get<Search>().steps, 5);
  EXPECT_EQ(values.get<Search>().causal, 3);
  EXPECT_EQ(with({"explanation.weight=.5"}).get<Search>().weight, 0.5);
  EXPECT_EQ(values.get<Search>().latents, (std::vector<std::int64_t>{4, 5}));
}

TEST(Config, ValuesAreChosenByKeyAndBySection) {
  const nlohmann::json values = to_json(example(), Values(), {"data", "explanation.samples"});
  EXPECT_EQ(values.size(), 5u);
  EXPECT_EQ(values.at("explanation.samples"), nlohmann::json({200, 200}));
  EXPECT_TRUE(values.at("data.accuracy").is_null());
}

TEST(Config, ReferenceListsEveryKey) {
  const std::string page = reference(example()[2]);
  EXPECT_TRUE(contains(page, "| `causal` | an integer from 1 to 64 | `1` | latents | K. |\n"));
  EXPECT_TRUE(contains(page, "| `steps` | an integer of at least 1 | `8000` |  | Steps of training. |\n"));
  EXPECT_TRUE(contains(page, "| `weight` | a number above 0 | `1.0` |"));
  EXPECT_TRUE(contains(page, "| `sampling` | one of 'nested', 'crossed' | `\"nested\"` |"));
  EXPECT_TRUE(contains(page, "| `methods` | a list of 'gradient', 'occlusion' | `[]` |"));
}

TEST(Config, ReferenceJoinsManyKeysThatDifferInTheEndsOfTheirNames) {
  Section section = example()[2];
  const Key like = section.keys.front();
  const std::vector<std::string> names = {"m_a", "m_b", "m_c_d", "m_e", "m_f", "m_g", "m_h", "m_i", "n_a"};
  section.keys.clear();
  for (const std::string& name : names) {
    section.keys.push_back(like);
    section.keys.back().name = name;
  }
  EXPECT_TRUE(contains(reference(section),
                       "| `m_NAME` | an integer of at least 1 | `8000` |  | Steps of training. NAME is one "
                       "of `a`, `b`, `c_d`, `e`, `f`, `g`, `h`, `i`. |\n| `n_a` |"));
  section.keys[3].doc = "Another.";
  EXPECT_TRUE(contains(reference(section), "| `m_a` | an integer"));
}

TEST(Config, RepeatedTablesHaveValuesOfTheirOwn) {
  Section problem = example()[2];
  problem.name = "problem";
  problem.keys[1].required = true;
  const auto read = [&](const std::string& text, Values& top) {
    return parse_tables(top, {example()[0]}, problem, text, "p.toml", "`whence help`");
  };
  Values top;
  const auto tables =
      read("title = \"T\"\n[[problem]]\ncausal = 2\n[[problem]]\ncausal = 3\nsteps = 9\n", top);
  EXPECT_EQ(top.get<Place>().title, "T");
  ASSERT_EQ(tables.size(), 2u);
  EXPECT_EQ(tables[0].place, "p.toml:2");
  EXPECT_EQ(tables[0].values.get<Search>().causal, 2);
  EXPECT_EQ(tables[0].values.get<Search>().steps, 8000);
  EXPECT_EQ(tables[1].place, "p.toml:4");
  EXPECT_EQ(tables[1].values.get<Search>().steps, 9);
  const auto refused = [&](const std::string& text) {
    return test::usage_error_of([&] { read(text, top); });
  };
  EXPECT_TRUE(
      contains(refused("[[problem]]\ncausal = 1\n[[problem]]\n"), "p.toml:3: problem.causal is missing: K."));
  EXPECT_TRUE(
      contains(refused("[[problem]]\ncausal = 0\n"), "p.toml:2: problem.causal is 0, but must be an"));
  EXPECT_TRUE(
      contains(refused("[[problem]]\ncausl = 1\n"), "did you mean 'problem.causal'?); `whence help` lists"));
  for (const char* none : {"", "problem = []\n", "[problem]\ncausal = 2\n", "problem = [1]\n"})
    EXPECT_TRUE(contains(refused(none), "p.toml: it must hold [[problem]]")) << none;
}

}  // namespace
}  // namespace whence::config
