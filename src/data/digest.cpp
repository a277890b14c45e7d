#include "data/digest.h"

#include <openssl/evp.h>

#include <array>

namespace whence::data {
namespace {

EVP_MD_CTX* evp(void* context) { return static_cast<EVP_MD_CTX*>(context); }

}  // namespace

void Digester::End::operator()(void* context) const { EVP_MD_CTX_free(evp(context)); }

Digester::Digester(Digest kind) : context_(EVP_MD_CTX_new()) {
  const EVP_MD* method = kind == Digest::md5 ? EVP_md5() : EVP_sha256();
  TORCH_CHECK(context_ != nullptr && EVP_DigestInit_ex(evp(context_.get()), method, nullptr) == 1,
              "OpenSSL has no such digest");
}

void Digester::add(std::string_view bytes) {
  TORCH_CHECK(EVP_DigestUpdate(evp(context_.get()), bytes.data(), bytes.size()) == 1, "digest");
}

std::string Digester::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> value{};
  unsigned size = 0;
  TORCH_CHECK(EVP_DigestFinal_ex(evp(context_.get()), value.data(), &size) == 1, "digest");
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", value[i]);
  return text;
}

std::string digest_of(std::string_view bytes, Digest kind) {
  Digester digester(kind);
  digester.add(bytes);
  return digester.hex();
}

}  // namespace whence::data
