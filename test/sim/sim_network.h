#pragma once

#include <streamrun/platform/store_transport.h>

#include <functional>
#include <string>

#include "sim/sim_file_system.h"
#include "sim/tape.h"

namespace streamrun::sim {

/// The way from one simulated process to servers elsewhere, which outlive it: others may run before
/// each request, and the process may die before it is sent, or when it has been served and the
/// answer is on its way. What the servers and the way to them do wrong is theirs. Of one process
/// that is dead nothing arrives.
class SimNetwork final : public StoreTransport {
 public:
  /// `sleep` lets others run for so long.
  SimNetwork(StoreTransport& servers, StorageFaults& faults, Tape& tape, Trace& trace,
             std::function<void(Duration)> sleep)
      : servers_(servers), faults_(faults), tape_(tape), trace_(trace), sleep_(std::move(sleep)) {}

  Result<HttpResponse> exchange(const HttpRequest& request, Duration timeout) override;
  std::unique_ptr<HttpExchange> start(HttpRequest request, Duration timeout) override;
  std::unique_ptr<HttpUpload> upload(HttpRequest request, Duration timeout) override;
  void pause(Duration duration) override;

 private:
  class Upload;
  /// What comes of a request.
  enum class Way { there_and_back, there, nowhere };
  Way send(const std::string& method, const std::string& url);
  void die();

  StoreTransport& servers_;
  StorageFaults& faults_;
  Tape& tape_;
  Trace& trace_;
  const std::function<void(Duration)> sleep_;
};

}  // namespace streamrun::sim
