#include <streamrun/base/assert.h>
#include <streamrun/platform/threaded_executor.h>
#include <streamrun/rest/rest_server.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include <event2/buffer.h>
#include <event2/listener.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bounded_connections.h"
#include "job_json.h"
#include "libevent.h"

namespace streamrun {
namespace {

using OwnHttpServer = std::unique_ptr<evhttp, Release<evhttp_free>>;
using OwnBuffer = std::unique_ptr<evbuffer, Release<evbuffer_free>>;
using OwnListener = std::unique_ptr<evconnlistener, Release<evconnlistener_free>>;

/// How long nothing is accepted when the process has no descriptor left for a connection.
constexpr int kPauseMilliseconds = 100;
constexpr int kBacklog = 128;
/// A head that is too long is read up to here all the same: a connection closed while the client
/// still sends is a reset, which can take the answer from it.
constexpr std::size_t kMostHeadBytesRead = 4 * RestServer::kMaxHeadBytes;

struct Method {
  evhttp_cmd_type type;
  const char* name;
};
constexpr std::array kMethods = {
    Method{EVHTTP_REQ_GET, "GET"},         Method{EVHTTP_REQ_POST, "POST"},
    Method{EVHTTP_REQ_HEAD, "HEAD"},       Method{EVHTTP_REQ_PUT, "PUT"},
    Method{EVHTTP_REQ_DELETE, "DELETE"},   Method{EVHTTP_REQ_PATCH, "PATCH"},
    Method{EVHTTP_REQ_OPTIONS, "OPTIONS"},
};

ReceivedRequest received(evhttp_request* request) {
  ReceivedRequest read;
  const evhttp_cmd_type type = evhttp_request_get_command(request);
  for (const Method& each : kMethods) {
    if (each.type == type) read.method = each.name;
  }
  const std::string target = evhttp_request_get_uri(request);
  const std::size_t question = target.find('?');
  read.path = target.substr(0, question);
  if (question != std::string::npos) read.query = target.substr(question + 1);
  read.headers = headers_of(request);
  read.body = take_body(request);
  return read;
}

/// Why this is no request to the job, as an answer.
std::optional<RestAnswer> refusal_of(evhttp_request* request) {
  const std::string target = evhttp_request_get_uri(request);
  const bool is_path =
      target.starts_with('/') &&
      std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!is_path)
    return RestAnswer{.status = 400, .body = errors_json({"The path of the request is not one."})};
  std::size_t bytes = target.size();
  for (const auto& [name, value] : headers_of(request)) bytes += name.size() + value.size() + 4;
  if (bytes > RestServer::kMaxHeadBytes)
    return RestAnswer{.status = 431, .body = errors_json({"The head of the request is too long."})};
  return std::nullopt;
}

/// Hands it to evhttp, which frees the request once it is sent.
void send(evhttp_request* request, const RestAnswer& answer) {
  evkeyvalq* const headers = evhttp_request_get_output_headers(request);
  evhttp_add_header(headers, "Content-Type", "application/json; charset=UTF-8");
  evhttp_add_header(headers, "Cache-Control", "no-store");
  evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
  evhttp_add_header(headers, "Connection", "close");
  const OwnBuffer body(evbuffer_new());
  const bool has_body = evhttp_request_get_command(request) != EVHTTP_REQ_HEAD;
  if (body != nullptr && has_body) evbuffer_add(body.get(), answer.body.data(), answer.body.size());
  // evhttp knows the phrases of the others.
  const char* const phrase = answer.status == 431 ? "Request Header Fields Too Large" : nullptr;
  evhttp_send_reply(request, answer.status, phrase, body.get());
}

/// By which any thread wakes that of the loop.
class WakeUp {
 public:
  explicit WakeUp(event_base* base) : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    SR_ASSERT(descriptor_ >= 0, "the kernel gives an eventfd");
    event_.reset(event_new(base, descriptor_, EV_READ | EV_PERSIST, &WakeUp::clear, nullptr));
    SR_ASSERT(event_ != nullptr && event_add(event_.get(), nullptr) == 0, "an event is watched");
  }
  ~WakeUp() {
    event_.reset();
    ::close(descriptor_);
  }
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;

  void signal() const { eventfd_write(descriptor_, 1); }

 private:
  static void clear(evutil_socket_t descriptor, short, void*) {
    eventfd_t count = 0;
    eventfd_read(descriptor, &count);
  }

  const int descriptor_;
  OwnEvent event_;
};

Error no_listener(const std::string& address, std::uint16_t port) {
  return {.code = ErrorCode::unavailable,
          .message = "cannot listen on " + address + ":" + std::to_string(port),
          .why = std::strerror(errno)};
}

}  // namespace

struct RestServer::Serving {
  explicit Serving(JobApi& job);
  ~Serving();

  Result<void> listen(const std::string& where, std::uint16_t at);
  void stop();

  // Of the loop's thread.
  void run();
  bufferevent* open();
  void take(evhttp_request* request);
  void reply(evhttp_request* request, const RestAnswer& answer);
  bool take_mail();
  void stop_listening();

  // Of a thread of the pool.
  void answer(std::uint64_t id, const ReceivedRequest& request);

  JobApi& api;
  std::string address;
  std::uint16_t port = 0;

  // Of the loop's thread. evhttp goes before what watches its connections.
  OwnEventBase base = make_event_base();
  BoundedConnections connections{base.get(), kMostConnections, kTimeToAsk};
  OwnHttpServer http{evhttp_new(base.get())};
  evhttp_bound_socket* listening = nullptr;
  std::map<std::uint64_t, evhttp_request*> asked;  // evhttp owns them
  std::uint64_t next_id = 0;

  WakeUp wake_up{base.get()};
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex.
  std::vector<std::pair<std::uint64_t, RestAnswer>> answers;
  bool is_closing = false;
  bool is_stopping = false;
  bool is_drained = false;

  /// Its destructor waits for the loop and for answers under way, so it is the first to go.
  ThreadPool threads{kThreads + 1};
};

RestServer::Serving::Serving(JobApi& job) : api(job) {
  SR_ASSERT(http != nullptr, "there is memory for a server");
  int methods = 0;
  for (const Method& each : kMethods) methods |= each.type;
  evhttp_set_allowed_methods(http.get(), static_cast<ev_uint16_t>(methods));
  evhttp_set_max_headers_size(http.get(), kMostHeadBytesRead);
  evhttp_set_max_body_size(http.get(), kMaxRequestBodyBytes);
  // Reads away a body that is too long, for as long as the client has, before it says so.
  evhttp_set_flags(http.get(), EVHTTP_SERVER_LINGERING_CLOSE);
  evhttp_set_bevcb(
      http.get(), [](event_base*, void* of) { return static_cast<Serving*>(of)->open(); }, this);
  evhttp_set_gencb(
      http.get(),
      [](evhttp_request* request, void* of) { static_cast<Serving*>(of)->take(request); }, this);
}

RestServer::Serving::~Serving() {
  stop();
}

Result<void> RestServer::Serving::listen(const std::string& where, std::uint16_t at) {
  const OwnAddresses found = SR_TRY(resolve(where, at, EVUTIL_AI_PASSIVE));
  OwnListener listener(
      evconnlistener_new_bind(base.get(), nullptr, nullptr,
                              LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
                              kBacklog, found->ai_addr, static_cast<int>(found->ai_addrlen)));
  if (listener == nullptr) return no_listener(where, at);
  evconnlistener_set_error_cb(listener.get(), [](evconnlistener*, void*) {
    ::poll(nullptr, 0, kPauseMilliseconds);  // it would be called again at once
  });
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> service{};
  auto* const named =
      reinterpret_cast<sockaddr*>(&bound);  // NOLINT: that is the sockets' interface
  if (::getsockname(evconnlistener_get_fd(listener.get()), named, &size) != 0 ||
      ::getnameinfo(named, size, host.data(), host.size(), service.data(), service.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return no_listener(where, at);
  address = host.data();
  port = static_cast<std::uint16_t>(std::stoi(service.data()));
  listening = evhttp_bind_listener(http.get(), listener.get());
  if (listening == nullptr) return no_listener(where, at);
  static_cast<void>(listener.release());  // is evhttp's now
  return {};
}

void RestServer::Serving::stop() {
  {
    const std::lock_guard lock(mutex);
    is_stopping = true;
  }
  wake_up.signal();
}

void RestServer::Serving::run() {
  while (take_mail()) {
    event_base_loop(base.get(), EVLOOP_ONCE);
    const std::size_t left = connections.sweep();
    if (listening != nullptr) evconnlistener_enable(evhttp_bound_socket_get_listener(listening));
    if (left > 0 || listening != nullptr) continue;
    const std::lock_guard lock(mutex);
    is_drained = true;
    changed.notify_all();
  }
}

bufferevent* RestServer::Serving::open() {
  // Those that are too many are closed in the next turn of the loop, and this one goes on for as
  // long as clients come.
  if (connections.sweep() >= 2 * kMostConnections)
    evconnlistener_disable(evhttp_bound_socket_get_listener(listening));
  return connections.open();
}

/// What other threads have left for this one; false: it is to end.
bool RestServer::Serving::take_mail() {
  std::vector<std::pair<std::uint64_t, RestAnswer>> ready;
  bool closes = false;
  {
    const std::lock_guard lock(mutex);
    if (is_stopping) return false;
    ready.swap(answers);
    closes = is_closing;
  }
  if (closes) stop_listening();
  for (const auto& [id, answer] : ready) {
    reply(asked.extract(id).mapped(), answer);
  }
  return true;
}

void RestServer::Serving::stop_listening() {
  if (listening == nullptr) return;
  evhttp_del_accept_socket(http.get(), listening);
  listening = nullptr;
  wake_up.signal();  // one more turn, which may find that nobody is left
}

void RestServer::Serving::take(evhttp_request* request) {
  const std::uint64_t id = next_id++;
  // Memory or threads that are short are no reason to end the job.
  try {
    if (const auto refusal = refusal_of(request)) return reply(request, *refusal);
    asked.emplace(id, request);
    threads.submit([this, id, what = received(request)] { answer(id, what); });
    connections.never_expire(
        evhttp_connection_get_bufferevent(evhttp_request_get_connection(request)));
  } catch (const std::exception& thrown) {
    asked.erase(id);
    reply(request, {.status = 500, .body = errors_json({thrown.what()})});
  }
}

void RestServer::Serving::reply(evhttp_request* request, const RestAnswer& answer) {
  connections.expire_after(
      evhttp_connection_get_bufferevent(evhttp_request_get_connection(request)), kTimeToRead);
  send(request, answer);
}

void RestServer::Serving::answer(std::uint64_t id, const ReceivedRequest& request) {
  {
    const std::lock_guard lock(mutex);
    if (is_stopping) return;
  }
  RestAnswer answer;
  try {
    answer = api.answer(request);
  } catch (const std::exception& thrown) {
    answer = {.status = 500, .body = errors_json({thrown.what()})};
  }
  {
    const std::lock_guard lock(mutex);
    answers.emplace_back(id, std::move(answer));
  }
  wake_up.signal();
}

Result<std::unique_ptr<RestServer>> RestServer::start(const std::string& address,
                                                      const std::vector<PortRange>& ports,
                                                      JobApi& api) {
  Error last{.code = ErrorCode::unavailable, .message = "no port to serve REST on"};
  auto serving = std::make_unique<Serving>(api);
  for (const PortRange& range : ports) {
    for (int port = range.first; port <= range.last; ++port) {
      if (Result<void> bound = serving->listen(address, static_cast<std::uint16_t>(port)); !bound) {
        last = std::move(bound).error();
        continue;
      }
      try {
        serving->threads.submit([each = serving.get()] { each->run(); });
      } catch (const ErrorException& no_thread) {
        return no_thread.error();
      }
      return std::unique_ptr<RestServer>(new RestServer(std::move(serving)));
    }
  }
  return last;
}

RestServer::RestServer(std::unique_ptr<Serving> serving) : serving_(std::move(serving)) {}

RestServer::~RestServer() = default;

const std::string& RestServer::address() const {
  return serving_->address;
}

std::uint16_t RestServer::port() const {
  return serving_->port;
}

void RestServer::drain(Duration most) {
  std::unique_lock lock(serving_->mutex);
  serving_->is_closing = true;
  serving_->wake_up.signal();
  serving_->changed.wait_for(lock, most, [this] { return serving_->is_drained; });
}

}  // namespace streamrun
