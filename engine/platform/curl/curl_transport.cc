#include <streamrun/base/assert.h>
#include <streamrun/platform/curl/curl_transport.h>
#include <streamrun/platform/first_bytes.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <unistd.h>

#include "network.h"

namespace streamrun {
namespace {

/// What may wait for the network beside what libcurl has taken.
constexpr std::size_t kMostUnsent = std::size_t{1} << 20U;

std::string beginning_of(const HttpResponse& response) {
  return "status " + std::to_string(response.status) + ": " + first_bytes(response.body);
}

class CurlExchange final : public HttpExchange {
 public:
  CurlExchange(Network& network, HttpRequest request, Duration timeout)
      : network_(network),
        transfer_(std::make_shared<CurlTransfer>(std::move(request), CurlTransfer::BodyKind::whole,
                                                 timeout)) {
    network_.add(transfer_);
  }
  ~CurlExchange() override { network_.drop(std::move(transfer_)); }

  Result<HttpResponse> wait() override { return network_.wait(*transfer_); }
  // libcurl is done with it.
  std::string take_body() override { return std::move(transfer_->request.body); }

 private:
  Network& network_;
  std::shared_ptr<CurlTransfer> transfer_;
};

class CurlUpload final : public HttpUpload {
 public:
  CurlUpload(Network& network, HttpRequest request, Duration timeout)
      : network_(network),
        timeout_(timeout),
        transfer_(std::make_shared<CurlTransfer>(std::move(request),
                                                 CurlTransfer::BodyKind::streamed, timeout)) {
    network_.add(transfer_);
  }
  ~CurlUpload() override { network_.drop(std::move(transfer_)); }

  Result<void> append(std::string_view bytes) override {
    if (network_.send(transfer_, bytes, kMostUnsent, timeout_)) return {};
    if (!outcome_) take_outcome();
    if (!*outcome_) return outcome_->error();
    return transfer_->unavailable("the server did not take all of a file",
                                  beginning_of(**outcome_));
  }

  Result<HttpResponse> finish() override {
    if (outcome_) return *std::move(outcome_);
    if (network_.end(transfer_, timeout_)) return network_.wait(*transfer_);
    return stuck();
  }

 private:
  void take_outcome() {
    if (network_.has_ended(*transfer_)) {
      outcome_ = network_.wait(*transfer_);
    } else {
      outcome_ = stuck();
      network_.drop(transfer_);
    }
  }
  Error stuck() const {
    return transfer_->unavailable("the server did not take a file in its time", "");
  }

  Network& network_;
  const Duration timeout_;
  std::shared_ptr<CurlTransfer> transfer_;
  std::optional<Result<HttpResponse>> outcome_;
};

class CurlTransport final : public StoreTransport {
 public:
  ~CurlTransport() override {
    if (process_ != ::getpid()) static_cast<void>(network_.release());
  }

  Result<HttpResponse> exchange(const HttpRequest& request, Duration timeout) override {
    return CurlExchange(network(), request, timeout).wait();
  }
  std::unique_ptr<HttpExchange> start(HttpRequest request, Duration timeout) override {
    return std::make_unique<CurlExchange>(network(), std::move(request), timeout);
  }
  std::unique_ptr<HttpUpload> upload(HttpRequest request, Duration timeout) override {
    return std::make_unique<CurlUpload>(network(), std::move(request), timeout);
  }
  void pause(Duration duration) override { std::this_thread::sleep_for(duration); }

 private:
  /// A command that needs no network starts no thread.
  Network& network() {
    const std::lock_guard lock(mutex_);
    if (network_ != nullptr && process_ != ::getpid()) {
      // Forked since: its thread stayed behind, and its connections are the other process's too.
      static_cast<void>(network_.release());
    }
    if (network_ == nullptr) {
      network_ = std::make_unique<Network>();
      process_ = ::getpid();
    }
    return *network_;
  }

  std::mutex mutex_;
  std::unique_ptr<Network> network_;  // guarded by mutex_
  pid_t process_ = 0;                 // guarded by mutex_; whose thread the network has
};

}  // namespace

std::unique_ptr<StoreTransport> make_curl_transport() {
  return std::make_unique<CurlTransport>();
}

}  // namespace streamrun
