// Pickled weights: what PyTorch writes, and what must not be done with a pickle.
#include "interchange/pickle.h"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "support/errors.h"

namespace whence::interchange {
namespace {

/// What PyTorch 2.13 pickles of {"w": Parameter(tensor([[1., 2.], [3., 4.]]).t()), "b": tensor([5, -6])}.
constexpr std::string_view kWeights =
    "80027d710028580100000077710163746f7263682e5f7574696c730a5f72656275696c645f706172616d657465720a710263"
    "746f7263682e5f7574696c730a5f72656275696c645f74656e736f725f76320a71032828580700000073746f726167657104"
    "63746f7263680a466c6f617453746f726167650a71055801000000307106580300000063707571074b04747108514b004b02"
    "4b028671094b014b0286710a8963636f6c6c656374696f6e730a4f726465726564446963740a710b2952710c74710d52710e"
    "88680b2952710f877110527111580100000062711268032828680463746f7263680a4c6f6e6753746f726167650a71135801"
    "00000031711468074b02747115514b004b028571164b0185711789680b2952711874711952711a752e";

std::string bytes_of_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

template <class Number>
std::string storage_bytes(std::initializer_list<Number> numbers) {
  std::string bytes;
  for (const Number number : numbers) bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
  return bytes;
}

std::string storage_of_key(const std::string& key) {
  return key == "0" ? storage_bytes<float>({1, 2, 3, 4}) : storage_bytes<std::int64_t>({5, -6});
}

std::map<std::string, at::Tensor> unpickled(const std::string& pickle) {
  return TensorUnpickler("model.pt2", pickle, storage_of_key).read();
}

TEST(TensorUnpickler, ReadsWhatPyTorchWrites) {
  const auto tensors = unpickled(bytes_of_hex(kWeights));
  ASSERT_EQ(tensors.size(), 2u);
  EXPECT_TRUE(at::equal(tensors.at("w"), at::tensor({1.0F, 3.0F, 2.0F, 4.0F}).reshape({2, 2})));
  EXPECT_TRUE(at::equal(tensors.at("b"), at::tensor({5, -6}, at::kLong)));
}

TEST(TensorUnpickler, CallsNothingThatAPickleNames) {
  const std::string call = std::string(
      "\x80\x02"
      "cos\nsystem\nX\x02\0\0\0ls\x85R.",
      23);
  test::expect_error([&] { unpickled(call); }, {"model.pt2", "os.system", "not read"});
}

TEST(TensorUnpickler, RefusesOtherStorages) {
  std::string other = bytes_of_hex(kWeights);
  other.replace(other.find("FloatStorage"), 12, "EvilsStorage");
  test::expect_error([&] { unpickled(other); }, {"torch.EvilsStorage"});
}

TEST(TensorUnpickler, RefusesATensorThatItsStorageDoesNotHold) {
  std::string larger = bytes_of_hex(kWeights);
  larger[larger.find("K\x02K\x02\x86") + 1] = 9;
  test::expect_error([&] { unpickled(larger); }, {"does not fit"});
}

TEST(TensorUnpickler, RefusesEveryBeginning) {
  const std::string whole = bytes_of_hex(kWeights);
  for (std::size_t length = 0; length < whole.size(); ++length)
    test::expect_error([&] { unpickled(whole.substr(0, length)); }, {"damaged"});
}

}  // namespace
}  // namespace whence::interchange
