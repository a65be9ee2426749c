#pragma once

#include <streamrun/platform/store_transport.h>

#include <string>
#include <utility>

namespace streamrun::sim {

/// An exchange that is over when it begins.
class DoneExchange final : public HttpExchange {
 public:
  DoneExchange(Result<HttpResponse> outcome, std::string body)
      : outcome_(std::move(outcome)), body_(std::move(body)) {}
  Result<HttpResponse> wait() override { return std::move(outcome_); }
  std::string take_body() override { return std::move(body_); }

 private:
  Result<HttpResponse> outcome_;
  std::string body_;
};

}  // namespace streamrun::sim
