#include "whence/platform/claim.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>
#include <vector>

#include "whence/core/error.h"
#include "whence/platform/file_lock.h"

namespace whence {
namespace {

namespace fs = std::filesystem;

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

/// Ticks since the machine started at which the process did, which tells it from a later one of the same number; "" where it is unknown.
std::string start_of(long process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');  // the name may hold spaces and parentheses
  if (name_end == std::string::npos) return "";
  std::istringstream words(text.substr(name_end + 1));
  constexpr int before = 19;  // fields between the name and field 22, starttime
  std::string word;
  for (int i = 0; i <= before; ++i) words >> word;
  return word;
}

/// "host 17 123456 1": the last number counts the claims of a process, since it may take one again.
std::string own_name() {
  static std::atomic<int> count{0};
  const long process = ::getpid();
  return fmt::format("{} {} {} {}", host_name(), process, start_of(process), ++count);
}

struct Owner {
  std::string host, start;
  long process = 0;
};

Owner parse(const std::string& text) {
  Owner owner;
  std::istringstream(text) >> owner.host >> owner.process >> owner.start;
  return owner;
}

/// The file's first line; "" where there is none (yet).
std::string line_of(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

bool is_alive(const Owner& owner) {
  if (::kill(static_cast<pid_t>(owner.process), 0) != 0 && errno == ESRCH) return false;
  const std::string start = start_of(owner.process);
  return start.empty() || start == owner.start;
}

/// Whether the file was made. Error: for another reason than that it is there.
bool make(const fs::path& path, const std::string& owner) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    if (errno == EEXIST || errno == ENOENT)
      return false;  // ENOENT: another process removed the folder just now
    fail("{} cannot be made: {}; is the folder writable?", path.string(),
         std::generic_category().message(errno));
  }
  const std::string line = owner + "\n";
  const bool written = ::write(descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  if (::close(descriptor) != 0 || !written) {
    ::unlink(path.c_str());
    fail("{} cannot be written; is the disk full?", path.string());
  }
  return true;
}

/// Takes the claim of a dead `owner` away. Of several that try, one at a time looks whether it is still that one.
void remove_stale(const fs::path& path, const std::string& owner) {
  const FileLock alone(path.string() + ".break");
  if (alone.held() && line_of(path) == owner) ::unlink(path.c_str());
}

}  // namespace

/// Folders above `path` that are not there, the lowest first.
std::vector<fs::path> missing_folders(const fs::path& path) {
  std::vector<fs::path> missing;
  std::error_code error;
  for (fs::path folder = path.parent_path(); !folder.empty() && !fs::exists(folder, error);
       folder = folder.parent_path())
    missing.push_back(folder);
  return missing;
}

/// Touches the file until it ends.
class Claim::Heart {
 public:
  explicit Heart(const fs::path& path) : thread_([this, path] { beat(path); }) {}
  ~Heart() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  Heart(const Heart&) = delete;
  Heart& operator=(const Heart&) = delete;

 private:
  void beat(const fs::path& path) {
    constexpr std::chrono::seconds pause{10};
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, pause, [this] { return ended_; }))
      ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  bool ended_ = false;
  std::thread thread_;
};

Claim::Claim(fs::path path, std::string owner, std::vector<fs::path> made)
    : path_(std::move(path)),
      owner_(std::move(owner)),
      made_(std::move(made)),
      heart_(std::make_unique<Heart>(path_)) {}

Claim::~Claim() {
  heart_.reset();
  if (line_of(path_) == owner_) ::unlink(path_.c_str());
  for (const fs::path& folder : made_)
    if (::rmdir(folder.c_str()) != 0) break;  // something was put into it
}

bool Claims::is_stale(const fs::path& path, const std::string& owner) {
  const Owner who = parse(owner);
  if (who.host == host_name()) return !is_alive(who);
  std::error_code error;
  const fs::file_time_type time = fs::last_write_time(path, error);
  if (error) return false;
  const auto now = std::chrono::steady_clock::now();
  const auto [place, first] = seen_.try_emplace(path, Sight{owner, time, now});
  Sight& sight = place->second;
  if (sight.owner != owner || sight.time != time) sight = {owner, time, now};
  return now - sight.since >= patience_;
}

std::unique_ptr<Claim> Claims::ask(const fs::path& path) {
  const std::string own = own_name();
  const std::vector<fs::path> missing = missing_folders(path);
  constexpr int tries = 3;
  for (int i = 0; i < tries; ++i) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error)
      fail("the folder {} cannot be made: {}; give another one with --out", path.parent_path().string(),
           error.message());
    if (make(path, own)) return std::unique_ptr<Claim>(new Claim(path, own, missing));
    const std::string owner = line_of(path);
    if (!is_stale(path, owner)) return nullptr;
    remove_stale(path, owner);
  }
  return nullptr;
}

std::string Claims::owner(const fs::path& path) {
  const Owner who = parse(line_of(path));
  return who.host.empty() ? "" : fmt::format("process {} on {}", who.process, who.host);
}

}  // namespace whence
