#include "whence/interchange/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "support/errors.h"
#include "support/files.h"

namespace whence::nn {
namespace {

using test::TemporaryFolder;

NamedTensors one_of_each_type() {
  NamedTensors tensors;
  const at::ScalarType types[] = {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong,
                                  at::kInt,    at::kShort, at::kChar, at::kByte,     at::kBool};
  for (const at::ScalarType type : types) {
    const at::Tensor values = type == at::kBool ? at::arange(6).remainder(2) : at::arange(6) * 1.7;
    tensors.push_back({std::string("of type ") + at::toString(type), values.to(type).reshape({2, 3})});
  }
  return tensors;
}

bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  return a.scalar_type() == b.scalar_type() && a.sizes() == b.sizes() &&
         std::memcmp(a.data_ptr(), b.data_ptr(), a.nbytes()) == 0;
}

std::string file_of(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data_bytes, '\1');
}

TEST(Safetensors, RoundTripKeepsEveryBitOfEveryType) {
  const TemporaryFolder folder;
  const NamedTensors tensors = one_of_each_type();
  save_safetensors(folder / "a.safetensors", tensors, {{"format", "pt"}, {"text", "\"quoted\" \xc3\xa9"}});
  const SafetensorsFile file = load_safetensors(folder / "a.safetensors");
  EXPECT_EQ(file.metadata.at("format"), "pt");
  EXPECT_EQ(file.metadata.at("text"), "\"quoted\" \xc3\xa9");
  ASSERT_EQ(file.tensors.size(), tensors.size());
  for (const NamedTensor& written : tensors) {
    const auto read = std::find_if(file.tensors.begin(), file.tensors.end(),
                                   [&](const NamedTensor& t) { return t.name == written.name; });
    ASSERT_NE(read, file.tensors.end()) << written.name;
    EXPECT_TRUE(same_bits(read->tensor, written.tensor)) << written.name;
  }
}

TEST(Safetensors, KeepsNotANumberScalarsEmptyAndStridedTensors) {
  const TemporaryFolder folder;
  const at::Tensor odd = at::tensor({std::nan(""), -0.0, HUGE_VAL}, at::kFloat);
  const at::Tensor strided = at::arange(12, at::kFloat).reshape({3, 4}).t();
  save_safetensors(folder / "a", {{"odd", odd},
                                  {"scalar", at::scalar_tensor(7)},
                                  {"empty", at::empty({0, 3})},
                                  {"strided", strided},
                                  {"no data", at::empty({2, 0})}});
  std::map<std::string, at::Tensor> read;
  for (const NamedTensor& t : load_safetensors(folder / "a").tensors) read[t.name] = t.tensor;
  ASSERT_EQ(read.size(), 5U);
  EXPECT_TRUE(same_bits(read["odd"], odd));
  EXPECT_EQ(read["scalar"].dim(), 0);
  EXPECT_EQ(read["empty"].sizes(), at::IntArrayRef({0, 3}));
  EXPECT_TRUE(at::equal(read["strided"], strided));
}

TEST(Safetensors, EveryTensorIsAligned) {
  const TemporaryFolder folder;
  save_safetensors(folder / "a",
                   {{"bytes", at::ones({3}, at::kByte)}, {"doubles", at::ones({2}, at::kDouble)}});
  const std::string bytes = test::content(folder / "a");
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  EXPECT_EQ(length % 8, 0U);
  const NamedTensors read = load_safetensors(folder / "a").tensors;
  EXPECT_EQ(read.front().name, "doubles");
}

TEST(Safetensors, NoTensorsAtAllIsAFile) {
  const TemporaryFolder folder;
  save_safetensors(folder / "a", {});
  EXPECT_TRUE(load_safetensors(folder / "a").tensors.empty());
}

TEST(Safetensors, BadHeadersAreRefusedWithTheirReason) {
  const std::string good = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  struct Case {
    std::string header, reason;
    std::size_t data = 8;
  };
  const Case cases[] = {
      {"{" + good, "not JSON"},
      {"[" + good + "]", "not a JSON object"},
      {" {" + good + "}", "not a JSON object"},
      {"", "not a JSON object"},
      {"{" + good + "}x", "not JSON"},
      {"{\"\xff\":" + good.substr(4) + "}", "not JSON"},
      {"{" + good + "," + good + "}", "\"a\" appears twice"},
      {R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "\"dtype\" appears twice"},
      {R"({"a":{"dtype":"F32","shape":[2]}})", "other keys"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}})", "other keys"},
      {R"({"a":7})", "other keys"},
      {R"({"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}})", "unknown dtype"},
      {R"({"a":{"dtype":5,"shape":[2],"data_offsets":[0,8]}})", "dtype"},
      {R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", "not a list"},
      {R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "whole numbers"},
      {R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", "whole numbers"},
      {R"({"a":{"dtype":"F32","shape":[1e30],"data_offsets":[0,8]}})", "whole numbers"},
      {R"({"a":{"dtype":"F32","shape":[[2]],"data_offsets":[0,8]}})", "nested too deeply"},
      {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})", "too large"},
      {R"({"a":{"dtype":"F32","shape":[0,18446744073709551615,2],"data_offsets":[0,0]}})", "too large"},
      {R"({"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,8]}})", "too large"},
      {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "8 bytes where its shape needs 12"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,16]}})", "of 8 bytes of data"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "lies at bytes 8 to 0"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}})", "3 data_offsets"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
       "overlap"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "gap"},
      {"{" + good + "}", "1 bytes at its end", 9},
      {R"({"__metadata__":{"k":1}})", "not a string", 0},
      {R"({"__metadata__":"k"})", "not an object", 0},
      {R"({"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[7],"data_offsets":[1,8]}})",
       ""},  // the data are ones: valid
  };
  const TemporaryFolder folder;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.header);
    test::put(folder / "x", file_of(c.header, c.data));
    if (c.reason.empty()) {
      EXPECT_NO_THROW(load_safetensors(folder / "x"));
    } else {
      test::expect_error([&] { load_safetensors(folder / "x"); }, {(folder / "x").string(), c.reason});
    }
  }
}

TEST(Safetensors, BadBytesAreRefused) {
  const TemporaryFolder folder;
  std::string nested = "{\"a\":" + std::string(100000, '[');
  test::put(folder / "nested", file_of(nested, 0));
  test::expect_error([&] { load_safetensors(folder / "nested"); }, {"nested too deeply"});
  std::string ranks = R"({"a":{"dtype":"U8","shape":[1)";
  for (int i = 0; i < 70; ++i) ranks += ",1";
  test::put(folder / "ranks", file_of(ranks + R"(],"data_offsets":[0,1]}})", 1));
  test::expect_error([&] { load_safetensors(folder / "ranks"); }, {"71 dimensions"});
  std::string boolean = file_of(R"({"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})", 1);
  boolean.back() = '\2';
  test::put(folder / "bool", boolean);
  test::expect_error([&] { load_safetensors(folder / "bool"); }, {"BOOL"});
  test::put(folder / "huge", std::string("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10));
  test::expect_error([&] { load_safetensors(folder / "huge"); }, {"claims"});
  test::put(folder / "long", std::string("\x40\0\0\0\0\0\0\0{}", 10));
  test::expect_error([&] { load_safetensors(folder / "long"); }, {"claims 64 bytes but 2 follow"});
  test::expect_error([&] { load_safetensors(folder / "missing"); }, {"missing"});
  test::expect_error([&] { load_safetensors(folder.path()); }, {folder.path().string()});
}

/// An error, or a file that is whole: as many bytes of tensors as the file has.
void expect_error_or_whole(const std::filesystem::path& path, std::size_t data_bytes) {
  try {
    std::size_t found = 0;
    for (const NamedTensor& t : load_safetensors(path).tensors) found += t.tensor.nbytes();
    EXPECT_EQ(found, data_bytes);
  } catch (const Error&) {
  }
}

class SafetensorsFuzz : public testing::Test {
 protected:
  SafetensorsFuzz() {
    save_safetensors(path, one_of_each_type(), {{"a", "b"}});
    bytes = test::content(path);
    for (const NamedTensor& t : one_of_each_type()) data_bytes += t.tensor.nbytes();
  }
  /// A new file each time: overwriting one makes some file systems wait for the disk.
  void write(const std::string& content) {
    std::filesystem::remove(path);
    test::put(path, content);
  }
  TemporaryFolder folder;
  std::filesystem::path path = folder / "fuzzed.safetensors";
  std::string bytes;
  std::size_t data_bytes = 0;
};

TEST_F(SafetensorsFuzz, EveryTruncationIsAnError) {
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    write(bytes.substr(0, length));
    EXPECT_THROW(load_safetensors(path), Error) << length << " of " << bytes.size() << " bytes";
  }
}

TEST_F(SafetensorsFuzz, NoChangedByteDoesHarm) {
  for (const unsigned seed : {1U, 2U, 3U}) {
    std::mt19937 random(seed);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ static_cast<char>(1 + random() % 255));
      write(changed);
      expect_error_or_whole(path, data_bytes);
    }
  }
}

TEST_F(SafetensorsFuzz, NoManyChangedBytesDoHarm) {
  std::mt19937 random(7);
  for (int round = 0; round < 1000; ++round) {
    std::string changed = bytes;
    for (unsigned k = 1 + random() % 8; k > 0; --k)
      changed[random() % changed.size()] = static_cast<char>(random());
    write(changed);
    expect_error_or_whole(path, data_bytes);
  }
}

TEST(Safetensors, NetworksRoundTripAndRefuseOtherWeights) {
  const TemporaryFolder folder;
  Network network("small", {3});
  network.add("fc", Linear{2});
  save_safetensors(folder / "w",
                   {{"fc.weight", at::arange(6, at::kFloat).reshape({2, 3})}, {"fc.bias", at::ones({2})}});
  load_network(folder / "w", network);
  EXPECT_TRUE(at::equal(network.state()[0].tensor, at::arange(6, at::kFloat).reshape({2, 3})));

  save_safetensors(folder / "other", {{"fc.weight", at::zeros({2, 4})}, {"extra", at::zeros({1})}});
  test::expect_error([&] { load_network(folder / "other", network); },
                     {"other", "fc.weight", "fc.bias", "extra"});
  EXPECT_TRUE(at::equal(network.state()[1].tensor, at::ones({2})));
}

TEST(Safetensors, AFullDiskIsAnErrorThatNamesTheFile) {
  const TemporaryFolder folder;
  const std::string file = (folder / "weights.safetensors").string();
  const test::FullDisk disk(1000);
  EXPECT_EQ(test::error_of([&] {
              save_safetensors(file, {{"x", at::ones({1000})}});
            }),
            "cannot write " + file + ": File too large");
  EXPECT_TRUE(test::names_in(folder.path()).empty());
}

TEST(Safetensors, ProgrammersErrorsAreChecked) {
  const TemporaryFolder folder;
  const at::Tensor t = at::ones({1});
  EXPECT_THROW(save_safetensors(folder / "a", {{"x", t}, {"x", t}}), c10::Error);
  EXPECT_THROW(save_safetensors(folder / "a", {{"__metadata__", t}}), c10::Error);
  EXPECT_THROW(save_safetensors(folder / "a", {{"x", t.to(at::kComplexFloat)}}), c10::Error);
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
}

}  // namespace
}  // namespace whence::nn
