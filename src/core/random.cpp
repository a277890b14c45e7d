#include "whence/core/random.h"

#include <ATen/CPUGeneratorImpl.h>

#include "whence/core/error.h"

namespace whence {
namespace {

/// SplitMix64 (Steele, Lea and Flood, 2014): every bit of the input moves every bit of the output.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15u;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

/// FNV-1a, 64 bits (Fowler, Noll and Vo).
std::uint64_t hash(std::string_view name) {
  std::uint64_t value = 0xcbf29ce484222325u;
  for (const char letter : name) value = (value ^ static_cast<unsigned char>(letter)) * 0x100000001b3u;
  return value;
}

/// LibTorch seeds its Mersenne Twister with 32 bits only; here all 624 words depend on all 64.
at::mt19937 engine_from(std::uint64_t key) {
  at::mt19937_data_pod state = at::mt19937(key).data();
  for (auto& word : state.state_) word = static_cast<std::uint32_t>(mix(key++) >> 32);
  at::mt19937 engine;
  engine.set_data(state);
  return engine;
}

}  // namespace

Generator make_generator(std::uint64_t seed, std::string_view stream) {
  const std::uint64_t key = mix(mix(seed) ^ hash(stream));
  Generator generator = at::make_generator<at::CPUGeneratorImpl>(key);
  at::check_generator<at::CPUGeneratorImpl>(generator)->set_engine(engine_from(key));
  return generator;
}

Tensor generator_state(const Generator& generator) { return generator.get_state(); }

void restore_generator(Generator& generator, const Tensor& state) {
  const auto expected = generator_state(generator);
  if (!state.defined() || state.scalar_type() != at::kByte || state.numel() != expected.numel()) {
    fail("the state of a random stream is damaged: it must be {} bytes", expected.numel());
  }
  try {
    generator.set_state(state.cpu().contiguous());
  } catch (const c10::Error& error) {
    fail("the state of a random stream is damaged: {}", sentence_of(error));
  }
}

}  // namespace whence
