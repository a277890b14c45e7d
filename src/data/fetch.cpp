#include "whence/data/fetch.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "data/digest.h"
#include "data/download.h"
#include "data/layout.h"
#include "data/paths.h"
#include "data/unpack.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/platform/file_lock.h"

namespace fs = std::filesystem;

namespace whence::data {
namespace {

constexpr std::size_t md5_digits = 32;
constexpr std::size_t read_at_once = 1 << 20;

fs::path fetch_root(const fs::path& to) {
  if (!to.empty()) return to;
  const char* root = std::getenv("WHENCE_DATA");
  return root != nullptr && *root != '\0' ? fs::path(root) : data_home();
}

std::string digest_of_file(const fs::path& path, Digest kind) {
  std::ifstream file(path, std::ios::binary);
  Digester digester(kind);
  std::string piece(read_at_once, '\0');
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())), file.gcount() > 0) {
    digester.add({piece.data(), static_cast<std::size_t>(file.gcount())});
  }
  return digester.hex();
}

/// As Download::digest counts.
std::string digest_of_download(const Download& download, const fs::path& path) {
  const Digest kind = download.digest.size() == md5_digits ? Digest::md5 : Digest::sha256;
  return is_archive(download.file) ? digest_of_file(path, kind) : digest_of(read_content(path), kind);
}

/// A folder of the user's as an address; addresses end in a slash.
std::string as_address(const std::string& from) {
  std::string address = is_folder(from) ? "file://" + fs::absolute(from).string() : from;
  if (!address.ends_with('/')) address += '/';
  return address;
}

class Fetch {
 public:
  Fetch(const KnownSet& set, const Publication& publication, const FetchOptions& options,
        const ProgressCallback& progress)
      : set_(set),
        publication_(publication),
        options_(options),
        progress_(progress),
        target_(fetch_root(options.to) / set.name),
        work_(fetch_root(options.to) / fmt::format(".{}.fetch", set.name)) {}

  fs::path run() {
    if (is_whole(target_)) return target_;
    make_folder(work_);
    const FileLock lock(work_ / "lock");
    if (lock.taken()) fail("another `whence data fetch` is loading into {}; wait for it", work_.string());
    if (!lock.held()) fail("{} cannot be written: {}", (work_ / "lock").string(), lock.reason());
    try {
      for (const Download& download : publication_.downloads) load(download);
    } catch (...) {
      leave_nothing_empty();
      throw;
    }
    const fs::path fresh = work_ / "unpacked";
    fs::remove_all(fresh);
    for (const Download& download : publication_.downloads) unpack(work_ / download.file, fresh);
    check_unpacked(fresh);
    move_into_place(fresh);
    return target_;
  }

 private:
  bool is_whole(const fs::path& folder) const {
    const auto place = locate(set_, folder);
    return place && place->folder == folder && differences(publication_, *place).empty();
  }

  static void make_folder(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) fail("the folder {} cannot be made: {}", folder.string(), error.message());
  }

  /// What could not even be begun leaves no trace.
  void leave_nothing_empty() const {
    bool kept = false;
    for (const auto& entry : fs::directory_iterator(work_))
      kept = kept || (entry.is_regular_file() && entry.file_size() > 0);
    if (!kept) fs::remove_all(work_);
  }

  std::vector<std::string> homes() const {
    return options_.from.empty() ? publication_.homes : std::vector<std::string>{as_address(options_.from)};
  }

  /// From the first home that has the right one.
  void load(const Download& download) const {
    if (is_file(work_ / download.file)) return;
    std::vector<std::string> reasons;
    for (const std::string& home : homes()) {
      try {
        return load_from(home + std::string(download.file), download);
      } catch (const Error& error) {
        if (error.code() == ExitCode::interrupted) throw;
        reasons.emplace_back(error.what());
      }
    }
    fail("{} could not be fetched: {}; run it again to go on, or name a mirror with --from", set_.title,
         fmt::join(reasons, "; "));
  }

  void load_from(const std::string& address, const Download& wanted) const {
    const fs::path part = work_ / fmt::format("{}.part", wanted.file);
    const bool continued = is_file(part) && fs::file_size(part) > 0;
    transfer(address, part, wanted);
    std::string reason = reason_against(wanted, part);
    if (!reason.empty() && continued) {  // the beginning may be of another version
      fs::remove(part);
      transfer(address, part, wanted);
      reason = reason_against(wanted, part);
    }
    if (!reason.empty()) {
      fs::remove(part);
      fail("{} is not the published file ({})", address, reason);
    }
    fs::rename(part, work_ / wanted.file);
  }

  void transfer(const std::string& address, const fs::path& part, const Download& wanted) const {
    const auto report = [&](std::int64_t done, std::int64_t total) {
      if (!progress_) return;
      const std::int64_t all = total > 0 ? total : wanted.bytes;
      progress_({.stage = std::string(wanted.file),
                 .step = done / 1000,
                 .total = all / 1000,
                 .values = {},
                 .unit = "kB"});
    };
    download(address, part, {.patience = options_.patience, .tries = options_.tries}, report);
  }

  /// Why `path` is not what was published; "" when it is.
  static std::string reason_against(const Download& wanted, const fs::path& path) {
    try {
      const std::string digest = digest_of_download(wanted, path);
      if (digest == wanted.digest) return "";
      return fmt::format("{} bytes with the digest {} instead of {}", fs::file_size(path), digest,
                         wanted.digest);
    } catch (const Error& error) {
      return error.what();
    }
  }

  void check_unpacked(const fs::path& folder) const {
    for (const Layout layout : set_.layouts) {
      if (missing(folder, layout, set_.class_names).empty()) return;
    }
    fail("what {} unpacks to is not {}: it lacks {}", fmt::join(homes(), ", "), set_.title,
         fmt::join(missing(folder, set_.layouts.front(), set_.class_names), ", "));
  }

  /// All is on the disk before the name says so; an earlier folder goes when the new one is in its place.
  void move_into_place(const fs::path& fresh) const {
    const int disk = ::open(work_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (disk >= 0) {
      ::syncfs(disk);
      ::close(disk);
    }
    if (fs::exists(target_)) fs::rename(target_, work_ / "replaced");
    fs::rename(fresh, target_);
    fs::remove_all(work_);
  }

  const KnownSet& set_;
  const Publication& publication_;
  const FetchOptions& options_;
  const ProgressCallback& progress_;
  fs::path target_, work_;
};

}  // namespace

fs::path fetch(const KnownSet& set, const FetchOptions& options, const ProgressCallback& progress) {
  return fetch(set, publication(set), options, progress);
}

fs::path fetch(const KnownSet& set, const Publication& publication, const FetchOptions& options,
               const ProgressCallback& progress) {
  try {
    return Fetch(set, publication, options, progress).run();
  } catch (const fs::filesystem_error& error) {
    fail("{} cannot be brought into place: {}", set.title, error.what());
  }
}

std::vector<std::string> differences(const Publication& publication, const Place& place) {
  std::vector<std::string> sentences;
  for (const auto& [name, sha256] : publication.files) {
    const auto path = find_file(place.folder, name);
    const std::string digest = path ? digest_of(read_content(*path)) : "";
    if (!path) {
      sentences.push_back(fmt::format("{} is missing", (place.folder / name).string()));
    } else if (digest != sha256) {
      sentences.push_back(fmt::format("{} is not as published: its content has the SHA-256 {}, not {}",
                                      path->string(), digest, sha256));
    }
  }
  return sentences;
}

std::optional<std::vector<std::string>> differences(const KnownSet& set, const Place& place) {
  const Publication& published = publication(set);
  if (place.layout == Layout::pictures || published.files.empty()) return std::nullopt;
  return differences(published, place);
}

}  // namespace whence::data
