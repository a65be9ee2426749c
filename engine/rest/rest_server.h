#pragma once

#include <streamrun/base/result.h>
#include <streamrun/config/values.h>
#include <streamrun/rest/job_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace streamrun {

/// Serves a JobApi over HTTP (libevent's evhttp) on threads of its own, one request a connection.
/// What clients can take from the job is bounded: connections, threads, bytes of a request, and the
/// time that they may take to send it and to read the answer. What is no request is answered by
/// evhttp itself (400, 413, 501), in HTML.
class RestServer {
 public:
  static constexpr int kThreads = 4;  ///< that answer, beside the one of the loop
  static constexpr std::size_t kMostConnections = 32;
  static constexpr std::size_t kMaxHeadBytes = std::size_t{16} << 10U;
  static constexpr std::size_t kMaxRequestBodyBytes = std::size_t{64} << 10U;
  static constexpr Duration kTimeToAsk = std::chrono::seconds(2);
  static constexpr Duration kTimeToRead = std::chrono::seconds(5);

  /// Listens on the first port that is free; `{{0, 0}}` is any. E-UNAVAILABLE if none is. From then
  /// on requests are answered. `api` must outlive it.
  static Result<std::unique_ptr<RestServer>> start(const std::string& address,
                                                   const std::vector<PortRange>& ports,
                                                   JobApi& api);
  /// Answers nobody any more.
  ~RestServer();
  RestServer(const RestServer&) = delete;
  RestServer& operator=(const RestServer&) = delete;

  const std::string& address() const;  ///< numeric
  std::uint16_t port() const;
  /// Takes no new connection, and waits until those that there are have their answers, at most
  /// `most`.
  void drain(Duration most);

 private:
  struct Serving;
  explicit RestServer(std::unique_ptr<Serving> serving);
  const std::unique_ptr<Serving> serving_;
};

}  // namespace streamrun
