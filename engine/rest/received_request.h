#pragma once

#include <streamrun/platform/transport.h>

#include <string>
#include <string_view>

namespace streamrun {

/// A request as a server sees it.
struct ReceivedRequest {
  std::string method;   ///< upper case
  std::string path;     ///< begins with `/`, as it was written
  std::string query;    ///< what follows `?`, as it was written
  HttpHeaders headers;  ///< names in lower case
  std::string body;

  /// The value of a header that was sent once; empty if there is none.
  std::string header(std::string_view lower_case_name) const;
  /// The value of `name=value` in the query; empty if there is none.
  std::string parameter(std::string_view name) const;
};

}  // namespace streamrun
