// Downloads data sets from their public homes, and compares files with the published ones.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "whence/core/progress.h"
#include "whence/data/known.h"

namespace whence::data {

/// A file that a set's home hands out. "x.gz" becomes the file "x", "x.tar.gz" or "x.zip" the files in it.
struct Download {
  std::string_view file;
  std::int64_t bytes = 0;
  /// In hexadecimal: SHA-256, or MD5 where no other is known. Of an archive itself; of a single file (.gz) of
  /// its content, because mirrors compress anew.
  std::string_view digest;
};

/// A file of an unpacked set.
struct PublishedFile {
  std::string_view name;
  std::string_view sha256;
};

/// How a set is published.
struct Publication {
  std::vector<std::string> homes;  ///< addresses that the files' names are appended to; the first that works
  std::vector<Download> downloads;
  std::vector<PublishedFile> files;  ///< with known digests; none for pictures
};

/// Digests: MNIST's, Fashion-MNIST's and CIFAR-10's SHA-256 belong to files with the MD5 that the homes publish.
/// notMNIST's home publishes none; its MD5 is the one that other libraries check. Neither does the home of the Stanford Sentiment Treebank; the SHA-256 of
/// its archive is the one that other libraries check.
const Publication& publication(const KnownSet& set);

struct FetchOptions {
  std::filesystem::path
      to;            ///< the set becomes its folder <to>/<name>; empty: WHENCE_DATA if set, else data_home()
  std::string from;  ///< an address (http, https, file) or a folder to take the files from instead
  double patience = 30;  ///< seconds without a byte after which a try is given up
  int tries = 4;         ///< in a row that brought nothing new
};

/// Brings the set to its folder, which it returns, whole or not at all: what was loaded of a file is kept beside it and
/// continued (HTTP ranges), digests are compared, then all is unpacked and renamed into place. A folder that is whole
/// is left alone, a damaged one replaced. `progress` counts kilobytes of each file. Errors: no home has the files or
/// hands out the right ones; another fetch is at work; a folder that cannot be written.
std::filesystem::path fetch(const KnownSet& set, const FetchOptions& options,
                            const ProgressCallback& progress = {});
std::filesystem::path fetch(const KnownSet& set, const Publication& publication, const FetchOptions& options,
                            const ProgressCallback& progress = {});

/// One sentence for each file of the set in `place` that is not as published.
std::vector<std::string> differences(const Publication& publication, const Place& place);

/// The same of a known set; nothing where nobody published digests of files of this layout. Copies that are whole can still
/// have other pixels (decoded from JPEG, say), and then other results.
std::optional<std::vector<std::string>> differences(const KnownSet& set, const Place& place);

}  // namespace whence::data
