#include "sim/sim_network.h"

#include <utility>

#include "sim/done_exchange.h"

namespace streamrun::sim {
namespace {

Error dead() {
  return {.code = ErrorCode::unavailable, .message = "the process was killed"};
}

}  // namespace

/// Sent piece by piece: the process may die before any of them, and breaks the body off so.
class SimNetwork::Upload final : public HttpUpload {
 public:
  Upload(SimNetwork& network, std::unique_ptr<HttpUpload> upload, std::string url)
      : network_(network), upload_(std::move(upload)), url_(std::move(url)) {}
  Result<void> append(std::string_view bytes) override {
    const Way way = upload_ == nullptr ? Way::nowhere : network_.send("append", url_);
    if (way == Way::nowhere) return dead();
    Result<void> taken = upload_->append(bytes);
    if (way == Way::there_and_back) return taken;
    network_.die();
    return dead();
  }
  Result<HttpResponse> finish() override {
    const Way way = upload_ == nullptr ? Way::nowhere : network_.send("finish", url_);
    if (way == Way::nowhere) return dead();
    Result<HttpResponse> response = upload_->finish();
    if (way == Way::there_and_back) return response;
    network_.die();
    return dead();
  }

 private:
  SimNetwork& network_;
  const std::unique_ptr<HttpUpload> upload_;
  const std::string url_;
};

SimNetwork::Way SimNetwork::send(const std::string& method, const std::string& url) {
  if (!faults_.is_dead) faults_.pause();
  if (faults_.is_dead) return Way::nowhere;
  trace_.fold(method);
  trace_.fold(url);
  const bool is_last = faults_.steps_to_death && (*faults_.steps_to_death)-- == 0;
  if (!is_last) return Way::there_and_back;
  if (tape_.flip()) return Way::there;
  die();
  return Way::nowhere;
}

void SimNetwork::die() {
  faults_.is_dead = true;
  faults_.die();
}

Result<HttpResponse> SimNetwork::exchange(const HttpRequest& request, Duration timeout) {
  const Way way = send(request.method, request.url);
  if (way == Way::nowhere) return dead();
  Result<HttpResponse> response = servers_.exchange(request, timeout);
  if (way == Way::there_and_back) return response;
  die();
  return dead();
}

std::unique_ptr<HttpExchange> SimNetwork::start(HttpRequest request, Duration timeout) {
  Result<HttpResponse> outcome = exchange(request, timeout);
  return std::make_unique<DoneExchange>(std::move(outcome), std::move(request.body));
}

std::unique_ptr<HttpUpload> SimNetwork::upload(HttpRequest request, Duration timeout) {
  const std::string url = request.url;
  const Way way = send(request.method, url);
  std::unique_ptr<HttpUpload> upload;
  if (way != Way::nowhere) upload = servers_.upload(std::move(request), timeout);
  if (way == Way::there) {
    upload.reset();
    die();
  }
  return std::make_unique<Upload>(*this, std::move(upload), url);
}

void SimNetwork::pause(Duration duration) {
  if (!faults_.is_dead) sleep_(duration);
}

}  // namespace streamrun::sim
