#pragma once

#include <streamrun/base/result.h>
#include <streamrun/platform/random.h>
#include <streamrun/platform/store_transport.h>
#include <streamrun/storage/hdfs/hdfs_settings.h>

#include <atomic>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "backoff.h"
#include "webhdfs_answer.h"

namespace streamrun {

/// One operation on a path.
struct WebHdfsRequest {
  std::string method = "GET";
  std::string op;
  std::string path;        ///< in HDFS, not encoded
  std::string query = {};  ///< more parameters, encoded, each with `&` in front
  std::string where;       ///< the path as the caller knows it, for errors
  std::size_t most_response_bytes = std::size_t{8} << 20U;
  bool is_led_on = false;  ///< a data node does it: the answer says which
};

/// What a server said that WebHDFS says: success, or what was thrown.
struct WebHdfsAnswer {
  int status = 0;
  HttpHeaders headers = {};
  nlohmann::json json = {};  ///< discarded if there was no body
  std::optional<RemoteException> exception = {};
};

/// What one exchange means for those who may do it again.
enum class Fate {
  answered,   ///< there is an answer
  standby,    ///< not done: another name node may be the active one
  later,      ///< not done: the same may work later
  unreached,  ///< not done: nobody took the connection
  unknown,    ///< perhaps done: no answer, half of one, or one that makes no sense
  refused,    ///< not done, and nothing is to be repeated: who we are does not suffice
};

/// Not done, and worth an attempt once more.
inline bool is_undone(Fate fate) {
  return fate == Fate::standby || fate == Fate::later || fate == Fate::unreached;
}

struct JudgedAnswer {
  Fate fate = Fate::unknown;
  WebHdfsAnswer answer = {};  ///< if answered
  Error error = {};           ///< if not
};

/// Makes sense of one exchange with the server at `url`, for which a redirect is an answer only if
/// it `is_led_on`.
JudgedAnswer judge(Result<HttpResponse> response, const std::string& url, const std::string& where,
                   bool is_led_on = false);

/// The name nodes of one authority: one, or several of which one is active. Thread-safe; blocks.
class NameNodes {
 public:
  NameNodes(std::vector<std::string> addresses, const HdfsSettings& settings,
            StoreTransport& transport, Random& random, const Clock* clock)
      : addresses_(std::move(addresses)),
        settings_(settings),
        transport_(transport),
        random_(random),
        clock_(clock) {}

  /// Asks until there is an answer, at every name node, with pauses between the rounds; for what
  /// may be done twice.
  Result<WebHdfsAnswer> ask(const WebHdfsRequest& request);
  /// The same, but E-UNAVAILABLE as soon as it may have been done.
  Result<WebHdfsAnswer> ask_to_change(const WebHdfsRequest& request);
  /// As one of the attempts that `backoff` counts.
  Result<WebHdfsAnswer> ask_to_change(const WebHdfsRequest& request, Backoff& backoff);
  /// The URL of the data node that the name node sends such a request to; none of the hosts in
  /// `dead` if there is another one (else they are forgiven).
  Result<std::string> data_node_for(const WebHdfsRequest& request, std::set<std::string>& dead);

  Result<WebHdfsStatus> status(const std::string& path, const std::string& where);

  const HdfsSettings& settings() const { return settings_; }
  StoreTransport& transport() { return transport_; }
  /// Of a step that begins now.
  Backoff backoff() { return {settings_, transport_, random_, clock_}; }
  /// Of a step in which time passes that is not the network's.
  Backoff backoff_of_pauses() { return {settings_, transport_, random_, nullptr}; }
  /// How long a step is asked for again while nothing is done.
  Duration patience() const {
    return has_answered_.load() ? settings_.patience : settings_.first_patience;
  }

 private:
  /// Why one attempt at each of them had no answer.
  struct Missed {
    Error error;
    bool may_be_done = false;  ///< at one of them
  };

  /// One attempt at each of them. Nothing if there is to be another one: `last` says why.
  std::optional<Result<WebHdfsAnswer>> ask_each(const WebHdfsRequest& request, bool is_change,
                                                Missed& last);
  Result<WebHdfsAnswer> ask(const WebHdfsRequest& request, bool is_change, Backoff& backoff);
  Result<WebHdfsAnswer> ask_for_data_node(WebHdfsRequest request, std::set<std::string>& dead,
                                          Backoff& attempts);
  Result<std::string> location_in(const WebHdfsAnswer& answer, const std::string& where) const;
  /// Whether what they say came over https: then nothing goes on without it.
  bool is_encrypted() const { return addresses_.front().starts_with("https://"); }
  std::string url_of(const WebHdfsRequest& request, std::size_t node) const;

  const std::vector<std::string> addresses_;
  const HdfsSettings& settings_;
  StoreTransport& transport_;
  Random& random_;
  const Clock* const clock_;
  std::atomic<bool> has_answered_ = false;  ///< one of them, anything that WebHDFS says
  /// The name node that answered last; a guess.
  std::atomic<std::size_t> active_ = 0;
};

/// Percent-encoded for a URL's path (`/` stays) or the value of a parameter.
std::string url_encoded(std::string_view text);

/// The answer, or the error that its exception means.
Result<WebHdfsAnswer> success_of(Result<WebHdfsAnswer> answer, const std::string& where);

}  // namespace streamrun
