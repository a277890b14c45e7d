#include "data/download.h"

#include <curl/curl.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <thread>

#include "whence/core/error.h"

namespace fs = std::filesystem;

namespace whence::data {
namespace {

constexpr long http_whole = 200, http_bad_range = 416, http_too_many = 429, http_server_error = 500;
constexpr long most_redirections = 10;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
struct CloseCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};

/// Bytes that `path` has; 0 when it is not there.
std::int64_t size_of(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : static_cast<std::int64_t>(size);
}

/// One try. libcurl calls back from C, so exceptions wait in `thrown_` until it has returned.
class Transfer {
 public:
  Transfer(const std::string& address, const fs::path& to, const ByteCallback& progress)
      : to_(to), progress_(progress), there_(address.starts_with("file:") ? 0 : size_of(to)) {
    curl_.reset(curl_easy_init());
    TORCH_CHECK(curl_ != nullptr, "libcurl does not start");
    file_.reset(std::fopen(to.c_str(), there_ > 0 ? "ab" : "wb"));
    if (file_ == nullptr) fail("{} cannot be written: {}", to.string(), std::strerror(errno));
    set(CURLOPT_URL, address.c_str());
    set(CURLOPT_ERRORBUFFER, message_.data());
  }

  CURLcode run(double patience) {
    const long seconds = std::max(1L, std::lround(patience));
    set(CURLOPT_PROTOCOLS_STR, "http,https,file");
    set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 1L);
    set(CURLOPT_MAXREDIRS, most_redirections);
    set(CURLOPT_FAILONERROR, 1L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_USERAGENT, "whence");
    set(CURLOPT_CONNECTTIMEOUT, seconds);
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, seconds);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Transfer::report);
    set(CURLOPT_XFERINFODATA, this);
    set(CURLOPT_WRITEFUNCTION, &Transfer::take);
    set(CURLOPT_WRITEDATA, this);
    const std::string range = std::to_string(there_) + "-";
    if (there_ > 0) set(CURLOPT_RANGE, range.c_str());
    const CURLcode code = curl_easy_perform(curl_.get());
    if (thrown_) std::rethrow_exception(thrown_);
    if (std::fflush(file_.get()) != 0) fail("{} cannot be written: {}", to_.string(), std::strerror(errno));
    return code;
  }

  long status() const {
    long status = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
  }
  std::string message(CURLcode code) const {
    return message_[0] != '\0' ? message_.data() : curl_easy_strerror(code);
  }

 private:
  template <class Value>
  void set(CURLoption option, Value value) {
    TORCH_CHECK(curl_easy_setopt(curl_.get(), option, value) == CURLE_OK, "libcurl lacks an option");
  }

  template <class Work>
  bool catching(Work&& work) {
    try {
      work();
    } catch (...) {
      thrown_ = std::current_exception();
    }
    return thrown_ == nullptr;
  }

  void write(const char* bytes, std::size_t size) {
    if (there_ > 0 && !begun_ && status() == http_whole) {  // the range was ignored: this is the beginning
      file_.reset(std::fopen(to_.c_str(), "wb"));
      there_ = 0;
    }
    begun_ = true;
    if (file_ == nullptr || std::fwrite(bytes, 1, size, file_.get()) != size) {
      fail("{} cannot be written: {}", to_.string(), std::strerror(errno));
    }
  }

  static std::size_t take(char* bytes, std::size_t, std::size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    return transfer.catching([&] { transfer.write(bytes, size); }) ? size : CURL_WRITEFUNC_ERROR;
  }
  static int report(void* self, curl_off_t total, curl_off_t done, curl_off_t, curl_off_t) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::int64_t before = transfer.there_;
    return transfer.catching([&] {
      if (transfer.progress_) transfer.progress_(before + done, total > 0 ? before + total : 0);
    })
               ? 0
               : 1;
  }

  fs::path to_;
  const ByteCallback& progress_;
  std::int64_t there_;  // bytes of earlier tries
  bool begun_ = false;
  std::unique_ptr<CURL, CloseCurl> curl_;
  std::unique_ptr<std::FILE, CloseFile> file_;
  std::array<char, CURL_ERROR_SIZE> message_{};
  std::exception_ptr thrown_;
};

/// Whether the same request may succeed later.
bool is_passing(CURLcode code, long status) {
  switch (code) {
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_COULDNT_CONNECT:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return true;
    case CURLE_HTTP_RETURNED_ERROR:
      return status >= http_server_error || status == http_too_many || status == http_bad_range;
    default:
      return false;
  }
}

void wait(std::chrono::milliseconds pause, const fs::path& to, const ByteCallback& progress) {
  constexpr std::chrono::milliseconds step{100};
  for (; pause.count() > 0; pause -= step) {
    std::this_thread::sleep_for(std::min(step, pause));
    if (progress) progress(size_of(to), 0);
  }
}

}  // namespace

void download(const std::string& address, const fs::path& to, const DownloadOptions& options,
              const ByteCallback& progress) {
  std::int64_t most = size_of(to);
  auto pause = options.pause;
  for (int tries_left = options.tries;;) {
    Transfer transfer(address, to, progress);
    const CURLcode code = transfer.run(options.patience);
    if (code == CURLE_OK) return;
    const long status = transfer.status();
    if (status == http_bad_range) fs::remove(to);
    const bool brought_something = size_of(to) > most;
    tries_left = brought_something ? options.tries : tries_left - 1;
    if (!is_passing(code, status) || tries_left <= 0) {
      fail("{} cannot be loaded: {}", address, transfer.message(code));
    }
    most = std::max(most, size_of(to));
    if (brought_something) {
      pause = options.pause;
    } else {
      wait(pause, to, progress);
      pause *= 2;
    }
  }
}

}  // namespace whence::data
