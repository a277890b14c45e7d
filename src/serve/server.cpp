#include "serve/server.h"

#include <httplib.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <thread>

#include "report/page_scripts.h"
#include "report/page_style.h"
#include "report/palette.h"
#include "report/text.h"
#include "serve/grid.h"
#include "serve/page_files.h"
#include "whence/core/error.h"
#include "whence/core/files.h"
#include "whence/explain/attribution/method.h"

namespace whence::serve {
namespace {

using httplib::Request, httplib::Response;
using nlohmann::json;
using What = SearchRequest::What;

constexpr std::size_t kThreads = 16, kLargest = 64 << 10;
constexpr time_t kSeconds = 5;

/// Clean UTF-8, whatever a name of a class holds.
std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

void answer(Response& response, const json& value, int status = 200) {
  response.status = status;
  response.set_content(text_of(value), "application/json");
}

void refuse(Response& response, int status, const std::string& sentence) {
  answer(response, {{"error", report::clean_text(sentence)}}, status);
}

Parameter parameters_of(const Request& request) {
  return [&request](const char* name) -> std::optional<std::string> {
    if (!request.has_param(name)) return {};
    return request.get_param_value(name);
  };
}

/// The body's object as parameters: whole numbers and texts alone.
Parameter parameters_in(const json& body) {
  return [&body](const char* name) -> std::optional<std::string> {
    const auto found = body.find(name);
    if (found == body.end()) return {};
    if (found->is_string()) return found->get<std::string>();
    if (found->is_number_integer()) return found->dump();
    throw BadRequest(std::string(name) + " must be a whole number or a text");
  };
}

json body_of(const Request& request) {
  json body = json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object()) throw BadRequest("the body must be a JSON object");
  return body;
}

}  // namespace

class Server::Routes {
 public:
  Routes(std::vector<Subject> subjects, const ProgressCallback& progress)
      : subjects_(std::move(subjects)), searches_(subjects_) {
    if (subjects_.empty()) fail_usage("there is nothing to explore; name a run folder or a classifier");
    for (const Subject& subject : subjects_) answers_.push_back(answers_of(subject, progress));
    server_.new_task_queue = [] {
      return new httplib::ThreadPool(kThreads);
    };  // NOLINT: httplib takes it over
    server_.set_payload_max_length(kLargest);
    server_.set_read_timeout(kSeconds);
    server_.set_write_timeout(kSeconds);
    server_.set_keep_alive_timeout(kSeconds);
    server_.set_pre_routing_handler(
        [this](const Request& request, Response& response) { return guard(request, response); });
    server_.set_error_handler([](const Request&, Response& response) {
      if (response.body.empty()) refuse(response, response.status, "there is nothing of this name here");
    });
    add_pages();
    add_calls();
  }

  int bind(int port) {
    port_ = port == 0                                 ? server_.bind_to_any_port("127.0.0.1")
            : server_.bind_to_port("127.0.0.1", port) ? port
                                                      : -1;
    if (port_ < 0) fail("the port {} of 127.0.0.1 cannot be used; give another one with --port", port);
    return port_;
  }

  void run(const std::function<bool()>& stop) {
    constexpr std::chrono::milliseconds pause{100};
    std::atomic<bool> ended{false};
    std::thread listener([&] {
      server_.listen_after_bind();
      ended = true;
    });
    do std::this_thread::sleep_for(pause);
    while (!ended && !(server_.is_running() && stop()));
    server_.stop();
    listener.join();
  }

 private:
  using Handled = httplib::Server::HandlerResponse;

  Handled guard(const Request& request, Response& response) {
    const std::string host = request.get_header_value("Host"), port = ":" + std::to_string(port_);
    response.set_header("X-Content-Type-Options", "nosniff");
    response.set_header("Cache-Control", "no-store");
    response.set_header("Cross-Origin-Resource-Policy", "same-origin");
    const bool own = host == "127.0.0.1" + port || host == "localhost" + port;
    const std::string origin = request.get_header_value("Origin");
    if (!own || !(origin.empty() || origin == "http://" + host)) {
      refuse(response, 403, "this explorer answers to its own page alone");
      return Handled::Handled;
    }
    if (request.method == "POST" && request.get_header_value("Content-Type") != "application/json") {
      refuse(response, 415, "send application/json");
      return Handled::Handled;
    }
    return Handled::Unhandled;
  }

  void add_pages() {
    const auto page = [this](const char* path, std::string_view text, const char* type) {
      server_.Get(path, [text, type](const Request&, Response& response) {
        response.set_header("Content-Security-Policy",
                            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
                            "connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'");
        response.set_content(text.data(), text.size(), type);
      });
    };
    page("/", explore_page, "text/html; charset=utf-8");
    page("/explore.js", explore_script, "text/javascript; charset=utf-8");
    page("/parts.js", report::parts_script, "text/javascript; charset=utf-8");
    page("/explore.css", explore_style, "text/css; charset=utf-8");
    page("/style.css", report::page_style, "text/css; charset=utf-8");
  }

  /// A handler whose errors become sentences.
  template <class Body>
  httplib::Server::Handler safely(Body body) {
    return [body](const Request& request, Response& response) {
      try {
        body(request, response);
      } catch (const BadRequest& error) {
        refuse(response, 400, error.what());
      } catch (const std::exception& error) {
        refuse(response, 400, sentence_of(error));
      }
    };
  }

  std::size_t subject_in(const Parameter& parameter, const char* name = "subject") const {
    return static_cast<std::size_t>(integer(parameter, name, 0, std::ssize(subjects_) - 1));
  }

  void add_calls() {
    server_.Get("/api/subjects",
                safely([this](const Request&, Response& response) { answer(response, describe()); }));
    server_.Get("/api/grid", safely([this](const Request& request, Response& response) {
                  const Parameter parameter = parameters_of(request);
                  const std::size_t own = subject_in(parameter);
                  const Answers* other = nullptr;
                  if (request.has_param("other")) {
                    const std::size_t second = subject_in(parameter, "other");
                    if (!comparable(own, second))
                      throw BadRequest("these two do not have the same test images and classes");
                    other = &answers_[second];
                  }
                  answer(response, grid(subjects_[own], answers_[own], other, parameter));
                }));
    server_.Get("/api/pixels", safely([this](const Request& request, Response& response) {
                  constexpr std::size_t most = 500;
                  const Parameter parameter = parameters_of(request);
                  const Subject& subject = subjects_[subject_in(parameter)];
                  const std::string bytes =
                      pixels_of(subject, integers(parameter, "rows", subject.test.size() - 1, most));
                  response.set_content(bytes.data(), bytes.size(), "application/octet-stream");
                }));
    server_.Get("/report", safely([this](const Request& request, Response& response) {
                  const Subject& subject = subjects_[subject_in(parameters_of(request))];
                  if (subject.report.empty()) throw BadRequest("this is no run with a report");
                  response.set_content(read_file(subject.report), "text/html; charset=utf-8");
                }));
    server_.Get("/api/search", safely([this](const Request& request, Response& response) {
                  const json state = searches_.state(
                      integer(parameters_of(request), "id", 1, std::numeric_limits<std::int64_t>::max()));
                  if (state.is_null())
                    return refuse(response, 404, "there is no such search, or it is long ago");
                  answer(response, state);
                }));
    server_.Post("/api/search", safely([this](const Request& request, Response& response) {
                   const auto number = searches_.add(search_in(body_of(request)));
                   if (!number) return refuse(response, 503, "too many searches wait; stop some");
                   answer(response, {{"search", *number}});
                 }));
    server_.Post(
        "/api/stop", safely([this](const Request& request, Response& response) {
          const json body = body_of(request);
          searches_.stop(integer(parameters_in(body), "id", 1, std::numeric_limits<std::int64_t>::max()));
          answer(response, json::object());
        }));
  }

  SearchRequest search_in(const json& body) const {
    const Parameter parameter = parameters_in(body);
    SearchRequest request;
    request.subject = subject_in(parameter);
    const Subject& subject = subjects_[request.subject];
    request.row = integer(parameter, "row", 0, subject.test.size() - 1);
    request.to = integer(parameter, "to", -1, std::ssize(subject.class_names) - 1, -1);
    request.what = static_cast<What>(word(parameter, "what", {"attribution", "counterfactual", "morph"}));
    if (const auto method = parameter("method")) request.method = attribution::method(*method).name;
    if (const std::string reason = obstacle(subject, request.what); !reason.empty()) throw BadRequest(reason);
    return request;
  }

  bool comparable(std::size_t a, std::size_t b) const {
    return subjects_[a].class_names == subjects_[b].class_names && answers_[a].labels == answers_[b].labels;
  }

  json describe() const {
    json all = json::array();
    for (std::size_t i = 0; i < subjects_.size(); ++i) {
      const Subject& subject = subjects_[i];
      json own = {{"name", subject.name},
                  {"classes", subject.class_names},
                  {"images", answers_[i].size()},
                  {"shape", subject.test.images.sizes().slice(1).vec()},
                  {"accuracy", answers_[i].accuracy()},
                  {"report", !subject.report.empty()},
                  {"opaque", subject.classifier->network() == nullptr},
                  {"counterfactual", obstacle(subject, What::counterfactual)},
                  {"morph", obstacle(subject, What::morph)},
                  {"comparable", json::array()}};
      for (std::size_t other = 0; other < subjects_.size(); ++other)
        if (other != i && comparable(i, other)) own["comparable"].push_back(other);
      all.push_back(std::move(own));
    }
    json methods = json::array();
    for (const attribution::Method& method : attribution::methods())
      methods.push_back({{"name", std::string(method.name)},
                         {"title", std::string(method.title)},
                         {"meaning", std::string(method.meaning)}});
    json colours = json::array();
    constexpr std::int64_t count = 12;
    for (std::int64_t i = 0; i < count; ++i) colours.push_back(report::hex(report::class_colour(i)));
    return {{"subjects", all}, {"methods", methods}, {"colours", colours}};
  }

  std::vector<Subject> subjects_;
  std::vector<Answers> answers_;
  Searches searches_;
  httplib::Server server_;
  int port_ = 0;
};

Server::Server(std::vector<Subject> subjects, const ProgressCallback& progress)
    : routes_(std::make_unique<Routes>(std::move(subjects), progress)) {}
Server::~Server() = default;
int Server::bind(int port) { return routes_->bind(port); }
void Server::run(const std::function<bool()>& stop) { routes_->run(stop); }

}  // namespace whence::serve
