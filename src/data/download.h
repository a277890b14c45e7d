// One file over a network, continued where an earlier try stopped.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace whence::data {

struct DownloadOptions {
  double patience;                        // seconds
  int tries;                              // in a row that brought nothing new
  std::chrono::milliseconds pause{1000};  // after a try that brought nothing; then twice as long
};

/// Bytes that are there, and in all (0: unknown). May throw to stop.
using ByteCallback = std::function<void(std::int64_t done, std::int64_t total)>;

/// Appends to `to` what it lacks of the file at `address` (http, https, file; redirections are followed). A server that
/// ignores ranges sends all of it anew. Error, naming the address: what is there stays for the next call.
void download(const std::string& address, const std::filesystem::path& to, const DownloadOptions& options,
              const ByteCallback& progress);

}  // namespace whence::data
