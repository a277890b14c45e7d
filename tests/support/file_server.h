// A server of files on this machine that can misbehave: tests/support/file_server.py.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "support/python.h"

namespace whence::test {

class FileServer {
 public:
  FileServer(const std::string& python, std::filesystem::path folder) : folder_(std::move(folder)) {
    int input[2], output[2];
    if (::pipe(input) != 0 || ::pipe(output) != 0) throw std::runtime_error("no pipe");
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(input[0], STDIN_FILENO);
      ::dup2(output[1], STDOUT_FILENO);
      for (const int end : {input[0], input[1], output[0], output[1]}) ::close(end);
      const std::string script = (tests_folder() / "support/file_server.py").string();
      ::execlp(python.c_str(), python.c_str(), "-B", script.c_str(), folder_.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(input[0]);
    ::close(output[1]);
    input_ = input[1];
    for (char digit = 0; ::read(output[0], &digit, 1) == 1 && digit != '\n';) port_ += digit;
    ::close(output[0]);
    if (port_.empty()) throw std::runtime_error("the file server does not start");
  }
  FileServer(const FileServer&) = delete;
  FileServer& operator=(const FileServer&) = delete;
  ~FileServer() {
    ::close(input_);
    ::waitpid(process_, nullptr, 0);
  }

  /// As --from takes it.
  std::string address(const std::string& mode) const {
    return "http://127.0.0.1:" + port_ + "/" + mode + "/";
  }

  /// "MODE NAME RANGE" of the requests since the last call.
  std::vector<std::string> requests() const {
    std::vector<std::string> lines;
    std::ifstream file(folder_ / "requests");
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    std::filesystem::remove(folder_ / "requests");
    return lines;
  }

 private:
  std::filesystem::path folder_;
  pid_t process_ = -1;
  int input_ = -1;
  std::string port_;
};

}  // namespace whence::test
