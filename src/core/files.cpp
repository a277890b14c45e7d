#include "whence/core/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <system_error>

#include "whence/core/error.h"

namespace fs = std::filesystem;

namespace whence {
namespace {

std::string reason(int number) { return std::generic_category().message(number); }

/// Owns a file descriptor; every failed call becomes an Error that names the file that the user asked for.
class OpenFile {
 public:
  OpenFile(const fs::path& path, int flags, const char* purpose) : OpenFile(path, flags, purpose, path) {}
  OpenFile(const fs::path& path, int flags, const char* purpose, const fs::path& asked_for)
      : asked_for_(asked_for), purpose_(purpose) {
    descriptor_ = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
    if (descriptor_ < 0) fail_with(errno);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  bool is_folder() const {
    struct stat status {};
    return ::fstat(descriptor_, &status) == 0 && S_ISDIR(status.st_mode);
  }
  std::size_t size_hint() const {
    struct stat status {};
    return ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode)
               ? static_cast<std::size_t>(status.st_size)
               : 0;
  }
  std::size_t read(char* to, std::size_t size) {
    ssize_t count = 0;
    do count = ::read(descriptor_, to, size);
    while (count < 0 && errno == EINTR);
    if (count < 0) fail_with(errno);
    return static_cast<std::size_t>(count);
  }
  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count < 0 && errno != EINTR) fail_with(errno);
      if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  /// A disk over a network says only now that it is full.
  void close() {
    if (::close(std::exchange(descriptor_, -1)) != 0) fail_with(errno);
  }

 private:
  [[noreturn]] void fail_with(int number) const {
    fail("cannot {} {}: {}", purpose_, asked_for_.string(), reason(number));
  }

  fs::path asked_for_;
  const char* purpose_;
  int descriptor_ = -1;
};

void create_parent(const fs::path& path) {
  const fs::path folder = path.parent_path();
  if (folder.empty()) return;
  std::error_code error, unknown;
  fs::create_directories(folder, error);
  if (fs::is_directory(folder, unknown)) return;
  fail("cannot create the folder {} for {}: {}", folder.string(), path.filename().string(),
       error ? error.message() : reason(ENOTDIR));
}

/// Where the bytes of `path` really lie, so that a symbolic link stays one.
fs::path behind_link(const fs::path& path) {
  std::error_code error;
  if (!fs::is_symlink(path, error)) return path;
  const fs::path target = fs::weakly_canonical(path, error);
  return error ? path : target;
}

std::string temporary_stem(const fs::path& path, pid_t process) {
  return fmt::format(".{}.part-{}-", path.stem().string(), process);
}

/// A killed process cannot remove its temporary; the next one that writes the same file does.
void remove_leftovers(const fs::path& path) {
  const std::string begin = fmt::format(".{}.part-", path.stem().string());
  std::error_code error;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(begin)) continue;
    pid_t process = 0;
    std::from_chars(name.data() + begin.size(), name.data() + name.size(), process);
    std::error_code ignored;
    if (process > 0 && ::kill(process, 0) != 0 && errno == ESRCH) fs::remove(entry->path(), ignored);
  }
}

fs::path temporary_for(const fs::path& path) {
  static std::atomic<unsigned> count{0};
  const std::string name =
      temporary_stem(path, ::getpid()) + std::to_string(count++) + path.extension().string();
  return path.parent_path() / name;
}

/// `sentence` for a user, who knows nothing of the temporary.
std::string without_temporary(std::string sentence, const fs::path& temporary, const fs::path& path) {
  const std::string hidden = temporary.string(), shown = path.string();
  for (std::size_t at = 0; (at = sentence.find(hidden, at)) != std::string::npos; at += shown.size())
    sentence.replace(at, hidden.size(), shown);
  return sentence;
}

}  // namespace

std::string read_file(const fs::path& path) {
  OpenFile file(path, O_RDONLY, "read");
  if (file.is_folder()) fail("cannot read {}: it is a folder", path.string());
  std::string bytes;
  std::size_t used = 0;
  for (bytes.resize(file.size_hint() + 1);;) {
    const std::size_t count = file.read(bytes.data() + used, bytes.size() - used);
    if (count == 0) break;
    used += count;
    if (used == bytes.size()) bytes.resize(2 * used + 4096);
  }
  bytes.resize(used);
  return bytes;
}

void write_file(const fs::path& path, std::string_view bytes) {
  std::error_code error;
  if (fs::is_other(path, error)) {  // a device or a pipe: there is nothing to rename onto
    OpenFile file(path, O_WRONLY, "write");
    file.write(bytes);
    return file.close();
  }
  write_file_with(path, [&](const fs::path& temporary) {
    OpenFile file(temporary, O_WRONLY | O_CREAT | O_EXCL, "write", path);
    file.write(bytes);
    file.close();
  });
}

void write_file_with(const fs::path& path, const std::function<void(const fs::path& temporary)>& write) {
  const fs::path target = behind_link(path);
  std::error_code error;
  if (!target.has_filename() || fs::is_directory(target, error))
    fail("cannot write {}: it is a folder", path.string());
  if (fs::is_other(target, error)) fail("cannot write {}: it is not a regular file", path.string());
  create_parent(target);
  remove_leftovers(target);
  const fs::path temporary = temporary_for(target);
  try {
    write(temporary);
    fs::rename(temporary, target, error);
    if (error) fail("cannot write {}: {}", path.string(), error.message());
  } catch (const Error& failure) {
    fs::remove(temporary, error);
    throw Error(without_temporary(failure.what(), temporary, path), failure.code());
  } catch (const std::exception& failure) {
    fs::remove(temporary, error);
    fail("cannot write {}: {}", path.string(), without_temporary(sentence_of(failure), temporary, path));
  }
}

nlohmann::json read_json(const fs::path& path) {
  const std::string text = read_file(path);
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    const std::string_view before = std::string_view(text).substr(0, error.byte > 0 ? error.byte - 1 : 0);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1;
    const std::string what = error.what();
    const std::size_t detail = what.find(": ");
    fail("{} is not JSON: line {}, column {}: {}", path.string(), line, column,
         detail == std::string::npos ? what : what.substr(detail + 2));
  }
}

void write_json(const fs::path& path, const nlohmann::json& value) {
  write_file(path, value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n');
}

}  // namespace whence
