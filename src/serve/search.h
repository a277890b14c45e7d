// Searches for an image: one after the other, in a thread of their own, with progress.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "serve/subject.h"

namespace whence::serve {

struct SearchRequest {
  enum class What { attribution, counterfactual, morph };
  What what = What::attribution;
  std::size_t subject = 0;
  std::int64_t row = 0;
  std::string method = "integrated_gradients";  ///< of attribution
  std::int64_t to =
      -1;  ///< class; -1: attribution of the answer, counterfactuals of any other class, the second morph
};

/// What a subject can be asked: "" or the reason why not.
std::string obstacle(const Subject& subject, SearchRequest::What what);
/// The search itself. Images and maps are base64: bytes (C, H, W), and float32 (H, W). Errors: the methods'.
nlohmann::json search(const Subject& subject, const SearchRequest& request,
                      const std::optional<counterfactual::KnownCodes>& known,
                      const ProgressCallback& progress);

class Searches {
 public:
  /// Refers to the subjects.
  explicit Searches(const std::vector<Subject>& subjects);
  ~Searches();
  Searches(const Searches&) = delete;
  Searches& operator=(const Searches&) = delete;

  /// Its number; nothing where too many wait already.
  std::optional<std::int64_t> add(const SearchRequest& request);
  /// {"state": "waiting", "working", "done", "failed" or "stopped", "stage", "step", "total", "result", "error"}; null: not known, or
  /// forgotten: the last hundred are kept.
  nlohmann::json state(std::int64_t number) const;
  void stop(std::int64_t number);

 private:
  struct Entry {
    SearchRequest request;
    nlohmann::json state;
    bool stopped = false;
  };
  void work();
  void perform(std::int64_t number, const SearchRequest& request);
  void forget_old();

  const std::vector<Subject>& subjects_;
  std::vector<std::optional<counterfactual::KnownCodes>> known_;  ///< used by the thread alone
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<std::int64_t, Entry> entries_;
  std::deque<std::int64_t> waiting_;
  std::int64_t next_ = 1;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace whence::serve
