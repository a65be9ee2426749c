#pragma once

#include <streamrun/platform/store_transport.h>

#include <memory>

namespace streamrun {

/// HTTP and HTTPS by libcurl: connections are kept and used again; all transfers run on one thread
/// of its own, which starts with the first. Certificates are verified; proxies of the environment
/// are not looked at, as Hadoop's clients do. Outlives what it handed out.
std::unique_ptr<StoreTransport> make_curl_transport();

}  // namespace streamrun
