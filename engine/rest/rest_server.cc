#include <streamrun/platform/tcp.h>
#include <streamrun/platform/threaded_executor.h>
#include <streamrun/rest/rest_server.h>

#include <array>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <utility>

#include "job_json.h"

namespace streamrun {
namespace {

RestAnswer answer_to(const RequestParser& parser, RequestParser::State state, JobApi& api) {
  if (state == RequestParser::State::refused)
    return {.status = parser.status(), .body = errors_json({parser.why()})};
  try {
    return api.answer(parser.request());
  } catch (const std::exception& thrown) {
    // Memory that is short for an answer is no reason to end the job.
    return {.status = 500, .body = errors_json({thrown.what()})};
  }
}

/// A request that does not arrive in its time gets no answer.
void serve(TcpStream& stream, JobApi& api) {
  stream.expire_after(RestServer::kTimeToAsk);
  RequestParser parser;
  RequestParser::State state = RequestParser::State::incomplete;
  std::array<char, 4096> part{};
  while (state == RequestParser::State::incomplete) {
    const Result<std::size_t> count = stream.read(part.data(), part.size());
    if (!count || *count == 0) return;
    state = parser.take({part.data(), *count});
  }
  const RestAnswer answer = answer_to(parser, state, api);
  stream.expire_after(RestServer::kTimeToRead);
  if (stream.write(response_bytes(answer.status, answer.body))) stream.finish();
}

}  // namespace

struct RestServer::Serving {
  Serving(TcpListener socket, JobApi& job) : listener(std::move(socket)), api(job) {}

  void accept_all();
  void answer(TcpStream stream);
  bool take_place();

  TcpListener listener;
  JobApi& api;
  std::mutex mutex;
  std::condition_variable changed;
  int connections = 0;  // guarded by mutex
  /// Its destructor waits for the connections, so it is the first to go.
  ThreadPool threads{kThreads + 1};
};

bool RestServer::Serving::take_place() {
  const std::lock_guard lock(mutex);
  if (connections == kMostConnections) return false;
  ++connections;
  return true;
}

void RestServer::Serving::accept_all() {
  while (std::optional<TcpStream> stream = listener.accept()) {
    if (!take_place()) continue;  // closed at once
    // A pool that can't start a thread runs what it has later, or throws.
    try {
      threads.submit([this, each = std::move(*stream)]() mutable { answer(std::move(each)); });
    } catch (const ErrorException&) {
      const std::lock_guard lock(mutex);
      --connections;
    }
  }
}

void RestServer::Serving::answer(TcpStream stream) {
  serve(stream, api);
  {
    const std::lock_guard lock(mutex);
    --connections;
  }
  changed.notify_all();
}

Result<std::unique_ptr<RestServer>> RestServer::start(const std::string& address,
                                                      const std::vector<PortRange>& ports,
                                                      JobApi& api) {
  Error last{.code = ErrorCode::unavailable, .message = "no port to serve REST on"};
  for (const PortRange& range : ports) {
    for (int port = range.first; port <= range.last; ++port) {
      Result<TcpListener> listener = TcpListener::bind(address, static_cast<std::uint16_t>(port));
      if (!listener) {
        last = std::move(listener).error();
        continue;
      }
      auto serving = std::make_unique<Serving>(*std::move(listener), api);
      try {
        serving->threads.submit([each = serving.get()] { each->accept_all(); });
      } catch (const ErrorException& no_thread) {
        return no_thread.error();
      }
      return std::unique_ptr<RestServer>(new RestServer(std::move(serving)));
    }
  }
  return last;
}

RestServer::RestServer(std::unique_ptr<Serving> serving) : serving_(std::move(serving)) {}

RestServer::~RestServer() {
  serving_->listener.abort();
}

const std::string& RestServer::address() const {
  return serving_->listener.address();
}

std::uint16_t RestServer::port() const {
  return serving_->listener.port();
}

void RestServer::drain(Duration most) {
  serving_->listener.close();
  std::unique_lock lock(serving_->mutex);
  serving_->changed.wait_for(lock, most, [this] { return serving_->connections == 0; });
}

}  // namespace streamrun
