#pragma once

#include <streamrun/platform/transport.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <curl/curl.h>

namespace streamrun {

class Network;

struct EasyRelease {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct ListRelease {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// One request and what came back, while libcurl works on it. The caller's thread and the network
/// thread share it: all but what is constant after construction is guarded by the network's mutex.
/// libcurl's callbacks run on the network thread and take that mutex by `Network`.
struct CurlTransfer {
  enum class BodyKind {
    whole,     ///< `request.body`
    streamed,  ///< `outgoing`, until `has_ended`
  };

  CurlTransfer(HttpRequest of, BodyKind kind, Duration timeout);

  /// What the outcome is, once libcurl is done with it.
  Result<HttpResponse> outcome();
  /// Scheme, host, port and path of the URL: what an error may show.
  std::string where() const;
  Error unavailable(std::string message, std::string why) const;

  // Constant until `result` is there.
  HttpRequest request;
  std::unique_ptr<CURL, EasyRelease> easy;
  std::unique_ptr<curl_slist, ListRelease> header_lines;
  std::array<char, CURL_ERROR_SIZE> error_text{};
  Network* network = nullptr;  ///< that moves it

  // The network thread's until `result` is there.
  HttpResponse response;
  bool is_too_long = false;
  bool has_whole_head = false;

  // Shared.
  std::string outgoing;           ///< taken from the caller and not yet by libcurl
  std::size_t outgoing_from = 0;  ///< of which so much has gone
  bool has_ended = false;
  bool is_paused = false;
  bool is_dropped = false;
  std::uint64_t moved_bytes = 0;
  std::optional<CURLcode> result;
};

}  // namespace streamrun
