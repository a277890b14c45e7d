#include "cli/program.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace whence::test_support {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(2);
constexpr auto kPatience = std::chrono::seconds(60);

/// In the child: files in place of its streams, then the program.
[[noreturn]] void become_program(const std::filesystem::path& folder, std::vector<std::string> arguments,
                                 const std::filesystem::path& out, const std::filesystem::path& err,
                                 const Process::Options& options) {
  const auto redirect = [](const std::filesystem::path& file, int descriptor) {
    const int opened = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (opened < 0 || ::dup2(opened, descriptor) < 0) ::_exit(126);
  };
  redirect(out, STDOUT_FILENO);
  redirect(err, STDERR_FILENO);
  if (::chdir(folder.c_str()) != 0) ::_exit(126);
  if (options.bound_by_permissions && ::geteuid() == 0) {
    ::prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE);
    ::prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH);
  }
  if (options.largest_file > 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const auto most = static_cast<rlim_t>(options.largest_file);
    const rlimit limit{most, most};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(126);
  }
  arguments.insert(arguments.begin(), WHENCE_PROGRAM);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  ::execv(WHENCE_PROGRAM, pointers.data());
  ::_exit(126);
}

}  // namespace

Process::Process(const std::filesystem::path& folder, const std::vector<std::string>& arguments,
                 const Options& options) {
  static int count = 0;
  const std::string stem = ".output-" + std::to_string(count++);
  out_ = options.standard_output.empty() ? folder / (stem + ".out") : options.standard_output;
  err_ = folder / (stem + ".err");
  process_ = ::fork();
  if (process_ == 0) become_program(folder, arguments, out_, err_, options);
}

Process::~Process() {
  if (ended(false)) return;
  signal(SIGKILL);
  ended(true);
}

bool Process::ended(bool wait_for_it) {
  if (!ended_) ended_ = ::waitpid(process_, &status_, wait_for_it ? 0 : WNOHANG) == process_;
  return ended_;
}

bool Process::wait_until(const std::function<bool()>& condition) {
  const auto last = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (ended(false) || std::chrono::steady_clock::now() > last) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return true;
}

void Process::signal(int number) const { ::kill(process_, number); }

Outcome Process::wait() {
  ended(true);
  Outcome outcome;
  outcome.code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  if (std::filesystem::is_regular_file(out_)) outcome.out = read_file(out_);
  outcome.err = read_file(err_);
  return outcome;
}

Outcome Workplace::run(const std::vector<std::string>& arguments) const { return run(arguments, {}); }

Outcome Workplace::run(const std::vector<std::string>& arguments, const Process::Options& options) const {
  return Process(path(), arguments, options).wait();
}

Outcome Workplace::must_run(const std::vector<std::string>& arguments) const {
  Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return outcome;
}

nlohmann::json without_costs(nlohmann::json metrics) {
  if (!metrics.is_object()) return metrics;
  nlohmann::json kept = nlohmann::json::object();
  for (const auto& [key, value] : metrics.items()) {
    const bool cost = key.find("seconds") != std::string::npos || key.find("bytes") != std::string::npos;
    if (!cost) kept[key] = without_costs(value);
  }
  return kept;
}

::testing::AssertionResult is_error(const Outcome& outcome, int code, const std::string& part) {
  const auto fail = [&](const std::string& reason) {
    return ::testing::AssertionFailure() << reason << "; exit code " << outcome.code << ", stdout '"
                                         << outcome.out << "', stderr '" << outcome.err << "'";
  };
  if (outcome.code != code) return fail("expected exit code " + std::to_string(code));
  if (!outcome.out.empty()) return fail("expected nothing on stdout");
  const std::size_t begin = outcome.err.rfind("whence: ");
  if (begin == std::string::npos || (begin > 0 && outcome.err[begin - 1] != '\n')) return fail("no sentence");
  const std::string sentence = outcome.err.substr(begin);
  if (sentence.find('\n') != sentence.size() - 1) return fail("expected one line");
  if (sentence.find(part) == std::string::npos) return fail("expected '" + part + "' in it");
  for (const char* trace : {"Exception raised", "frame #", "Traceback", "json.exception", "c10::"}) {
    if (outcome.err.find(trace) != std::string::npos) return fail("a trace");
  }
  return ::testing::AssertionSuccess();
}

}  // namespace whence::test_support
