#pragma once

#include <streamrun/platform/store_transport.h>

#include <utility>

namespace streamrun::sim {

/// An exchange that is over when it begins.
class DoneExchange final : public HttpExchange {
 public:
  explicit DoneExchange(Result<HttpResponse> outcome) : outcome_(std::move(outcome)) {}
  Result<HttpResponse> wait() override { return std::move(outcome_); }

 private:
  Result<HttpResponse> outcome_;
};

}  // namespace streamrun::sim
