// The explorer under requests of every kind, over plain sockets. WHENCE_REQUESTS=100000 sends that many malformed ones instead of 1,000.
#include "serve/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

#include "unit/serve/support.h"

namespace whence::serve {
namespace {

using namespace std::chrono_literals;

class Connection {
 public:
  explicit Connection(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Connection() { ::close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool connected() const { return connected_; }
  void send(const std::string& bytes) const { ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  void end() const { ::shutdown(socket_, SHUT_WR); }
  /// Until the other side ends.
  std::string rest() const {
    std::string text;
    std::array<char, 4096> part{};
    for (ssize_t got = 0; (got = ::recv(socket_, part.data(), part.size(), 0)) > 0;)
      text.append(part.data(), static_cast<std::size_t>(got));
    return text;
  }

 private:
  int socket_;
  bool connected_ = false;
};

class Explorer : public ::testing::Test {
 protected:
  Explorer() : server_({test::halves("a"), test::halves("b")}) {
    port_ = server_.bind(0);
    thread_ = std::thread([this] { server_.run([this] { return stop_.load(); }); });
  }
  ~Explorer() override {
    stop_ = true;
    thread_.join();
  }

  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string send(const std::string& request) const {
    const Connection connection(port_);
    connection.send(request);
    return connection.rest();
  }
  std::string get(const std::string& path, const std::string& host_name = "",
                  const std::string& more = "") const {
    return send("GET " + path + " HTTP/1.1\r\nHost: " + (host_name.empty() ? host() : host_name) +
                "\r\nConnection: close\r\n" + more + "\r\n");
  }
  std::string post(const std::string& path, const std::string& body,
                   const std::string& type = "application/json", const std::string& more = "") const {
    return send("POST " + path + " HTTP/1.1\r\nHost: " + host() + "\r\nConnection: close\r\nContent-Type: " +
                type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + more + "\r\n" + body);
  }
  static int status(const std::string& response) {
    return response.starts_with("HTTP/1.1 ") ? std::atoi(response.c_str() + 9) : 0;
  }
  static nlohmann::json body(const std::string& response) {
    const std::size_t end = response.find("\r\n\r\n");
    return nlohmann::json::parse(response.substr(end == std::string::npos ? response.size() : end + 4),
                                 nullptr, false);
  }
  /// It still answers, and answers right.
  ::testing::AssertionResult is_well() const {
    const std::string response = get("/api/grid?subject=0&right=yes");
    if (status(response) == 200 && body(response).value("total", 0) == 6)
      return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << response;
  }
  nlohmann::json finished(const std::string& request) const {
    const nlohmann::json made = body(post("/api/search", request));
    if (!made.contains("search")) return made;
    const std::string path = "/api/search?id=" + std::to_string(made.at("search").get<int>());
    for (int i = 0; i < 600; ++i) {
      const nlohmann::json state = body(get(path));
      if (state.at("state") != "waiting" && state.at("state") != "working") return state;
      std::this_thread::sleep_for(50ms);
    }
    return {{"state", "never"}};
  }

  Server server_;
  int port_ = 0;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

TEST_F(Explorer, ServesItsPageAndWhatItAsksFor) {
  for (const char* path : {"/", "/parts.js", "/explore.js", "/explore.css", "/style.css"})
    EXPECT_EQ(status(get(path)), 200) << path;
  EXPECT_NE(get("/").find("Content-Security-Policy: default-src 'none'"), std::string::npos);
  const nlohmann::json all = body(get("/api/subjects"));
  EXPECT_EQ(all.at("subjects").at(0).at("accuracy"), 0.5);
  EXPECT_EQ(all.at("subjects").at(0).at("comparable"), nlohmann::json::array({1}));
  EXPECT_EQ(all.at("subjects").at(0).at("shape"), (nlohmann::json{1, 2, 4}));
  EXPECT_TRUE(get("/api/pixels?subject=0&rows=0").ends_with(std::string("\x14\x14\0\0\x14\x14\0\0", 8)));
  EXPECT_EQ(status(get("/api/grid?subject=0&other=1&differ=no")), 200);
}

TEST_F(Explorer, SearchesAreTheMethodsOwnAnswers) {
  const nlohmann::json state =
      finished(R"({"subject": 0, "row": 2, "what": "attribution", "method": "gradient", "to": 1})");
  ASSERT_EQ(state.at("state"), "done") << state;
  EXPECT_EQ(state.at("result").at("target"), 1);
  // d logit / d pixel: 0 on the left, 10 on the right, float32.
  EXPECT_EQ(state.at("result").at("map"), "AAAAAAAAAAAAACBBAAAgQQAAAAAAAAAAAAAgQQAAIEE=");
  const nlohmann::json layers =
      finished(R"({"subject": 0, "row": 2, "what": "attribution", "method": "grad_cam"})");
  EXPECT_EQ(layers.at("state"), "failed");
  EXPECT_FALSE(layers.at("error").get<std::string>().empty());
}

TEST_F(Explorer, WhatItCannotDoIsSaid) {
  const auto refused = [&](const std::string& request) {
    return body(post("/api/search", request)).value("error", "");
  };
  EXPECT_NE(refused(R"({"subject": 0, "row": 2, "what": "counterfactual"})").find("generator"),
            std::string::npos);
  EXPECT_NE(refused(R"({"subject": 0, "row": 12})").find("row must be"), std::string::npos);
  EXPECT_NE(refused(R"({"subject": 2, "row": 1})").find("subject must be"), std::string::npos);
  EXPECT_NE(refused(R"({"subject": 0, "row": 1, "method": "lime"})").find("lime"), std::string::npos);
  EXPECT_NE(refused(R"({"subject": 0, "row": 1.5})").find("whole number"), std::string::npos);
  EXPECT_NE(refused("[1]").find("JSON object"), std::string::npos);
  EXPECT_NE(refused(std::string(60'000, '[')).find("JSON object"), std::string::npos);
  EXPECT_EQ(status(get("/api/search?id=999")), 404);
  EXPECT_EQ(status(get("/report?subject=0")), 400);
}

/// A web page whose name was made to point to this machine, and one that posts here.
TEST_F(Explorer, AnswersToItsOwnPageAlone) {
  EXPECT_EQ(status(get("/api/subjects", "evil.example")), 403);
  EXPECT_EQ(status(get("/api/subjects", "evil.example:" + std::to_string(port_))), 403);
  EXPECT_EQ(status(get("/api/subjects", "127.0.0.1:" + std::to_string(port_ + 1))), 403);
  EXPECT_EQ(status(get("/api/subjects", "localhost:" + std::to_string(port_))), 200);
  EXPECT_EQ(status(get("/api/subjects", "", "Origin: http://evil.example\r\n")), 403);
  EXPECT_EQ(status(get("/api/subjects", "", "Origin: http://" + host() + "\r\n")), 200);
  EXPECT_EQ(status(post("/api/search", R"({"subject": 0, "row": 1})", "text/plain")), 415);
  EXPECT_EQ(
      status(post("/api/search", R"({"subject": 0, "row": 1})", "application/json", "Origin: null\r\n")),
      403);
}

TEST_F(Explorer, ReadsNoFileThatARequestNames) {
  for (const char* path :
       {"/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/etc/passwd", "//etc/passwd", "/report.html",
        "/report?subject=../../etc/passwd", "/report?subject=0&path=/etc/passwd"}) {
    const std::string response = get(path);
    EXPECT_TRUE(status(response) == 404 || status(response) == 400) << path << response;
    EXPECT_EQ(response.find("root:"), std::string::npos) << path;
  }
  EXPECT_TRUE(is_well());
}

TEST_F(Explorer, RefusesWhatIsTooLarge) {
  EXPECT_EQ(status(post("/api/search", std::string(100'000, ' '))), 413);
  EXPECT_NE(status(get("/" + std::string(100'000, 'a'))), 200);
  EXPECT_NE(status(get("/api/subjects", "", "X: " + std::string(100'000, 'a') + "\r\n")), 200);
  EXPECT_TRUE(is_well());
}

/// More slow clients than there are threads: each gets five seconds, then others are answered.
TEST_F(Explorer, OutlivesSlowClients) {
  std::vector<std::unique_ptr<Connection>> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(std::make_unique<Connection>(port_));
    slow.back()->send("GET /api/subjects HTT");
  }
  EXPECT_TRUE(is_well());
}

TEST_F(Explorer, ManyAtOnceGetTheirOwnAnswers) {
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  constexpr int clients = 8, each = 25;
  for (int client = 0; client < clients; ++client)
    threads.emplace_back([&, client] {
      for (int i = 0; i < each; ++i) {
        const int row = (client + i) % 12;
        const std::string pixels = get("/api/pixels?subject=0&rows=" + std::to_string(row));
        if (pixels.size() > 8 && pixels[pixels.size() - 8] == static_cast<char>((row + 1) * 20)) ++right;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, clients * each);
}

/// Valid requests with bytes changed, cut, doubled or put in; and such that are nothing.
TEST_F(Explorer, SurvivesMalformedRequests) {
  const char* wanted = std::getenv("WHENCE_REQUESTS");
  const int count = wanted == nullptr ? 1'000 : std::atoi(wanted);
  std::mt19937 random(1);
  const auto below = [&](std::size_t most) { return most == 0 ? std::size_t{0} : random() % most; };
  const std::vector<std::string> seeds = {
      "GET /api/grid?subject=0&label=1&least=0.5&order=rising HTTP/1.1\r\nHost: " + host() +
          "\r\nConnection: close\r\n\r\n",
      "GET /api/pixels?subject=1&rows=1,2,3 HTTP/1.1\r\nHost: " + host() +
          "\r\nRange: bytes=0-3\r\nConnection: close\r\n\r\n",
      "GET /api/search?id=1 HTTP/1.1\r\nHost: " + host() + "\r\nConnection: close\r\n\r\n",
      "POST /api/stop HTTP/1.1\r\nHost: " + host() +
          "\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"id\": 1}",
      "POST /api/search HTTP/1.1\r\nHost: " + host() +
          "\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: "
          "chunked\r\n\r\n18\r\n{\"subject\": 0, \"row\": 99}\r\n0\r\n\r\n"};
  int refused_connections = 0;
  for (int i = 0; i < count; ++i) {
    std::string request = seeds[below(seeds.size())];
    for (std::size_t change = 1 + below(6); change > 0; --change) {
      const std::size_t at = below(request.size());
      switch (below(5)) {
        case 0:
          request[at % std::max<std::size_t>(1, request.size())] = static_cast<char>(random());
          break;
        case 1:
          request.erase(at, below(20));
          break;
        case 2:
          request.insert(at, request.substr(at, below(40)));
          break;
        case 3:
          request.insert(at, std::string(below(50), static_cast<char>(random())));
          break;
        default:
          request.insert(at, "\r\n");
          break;
      }
      if (request.empty()) request = "\r\n";
    }
    const Connection connection(port_);
    if (!connection.connected()) ++refused_connections;
    connection.send(request);
    connection.end();  // or a request that was cut would be waited for
    if (below(4) != 0) connection.rest();
  }
  EXPECT_EQ(refused_connections, 0);
  EXPECT_TRUE(is_well());
}

TEST_F(Explorer, TooManySearchesAreRefused) {
  int refused = 0;
  for (int i = 0; i < 60; ++i)
    refused += status(post("/api/search", R"({"subject": 0, "row": 1, "method": "shapley_sampling"})")) == 503
                   ? 1
                   : 0;
  EXPECT_LT(refused, 60);
  for (int id = 1; id <= 60; ++id) post("/api/stop", "{\"id\": " + std::to_string(id) + "}");
  EXPECT_TRUE(is_well());
}

}  // namespace
}  // namespace whence::serve
