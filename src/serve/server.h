// The explorer: a page on this machine, for what a page alone cannot do.
//
// It listens on 127.0.0.1 alone, reads no file that its subjects do not name, and runs nothing that a request brings. Requests for
// another host (a web page that had its name point here) and from other pages are refused. Requests have at most 64 kB, and five seconds.
//
//   GET  /, /parts.js, /explore.js, ...    the page
//   GET  /report?subject=N                 report.html of a run
//   GET  /api/subjects                     what there is
//   GET  /api/grid?subject=N&...           serve/grid.h; other=N: a second subject with the same images
//   GET  /api/pixels?subject=N&rows=3,17   bytes (n, C, H, W)
//   POST /api/search                       {"subject", "row", "what", "method", "to"} as application/json -> {"search": number}
//   GET  /api/search?id=N                  serve/search.h
//   POST /api/stop                         {"id": number}
// Errors are {"error": sentence} with 400, 403, 404, 415 or 503.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "serve/search.h"
#include "serve/subject.h"

namespace whence::serve {

class Server {
 public:
  /// Asks the classifiers about all test images first. Errors: those of answers_of; no subject.
  explicit Server(std::vector<Subject> subjects, const ProgressCallback& progress = {});
  ~Server();

  /// `port` 0: any that is free. The port. Error: one that is taken.
  int bind(int port);
  /// Answers until `stop`, which is asked ten times a second, says so.
  void run(const std::function<bool()>& stop);

 private:
  class Routes;
  std::unique_ptr<Routes> routes_;
};

}  // namespace whence::serve
