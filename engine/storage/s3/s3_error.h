#pragma once

#include <streamrun/base/error.h>
#include <streamrun/platform/transport.h>

#include <string>

namespace streamrun {

/// Of a request, what an error tells of it.
struct S3Asked {
  std::string what;
  std::string where;
  std::string method;
  std::string bucket;
  std::string host;
  std::string region;
};

/// The error that a response without success stands for (also one with status 200 whose body is an
/// `Error`). An answer that is not S3's is E-UNAVAILABLE, whatever its status: a proxy's page with
/// 404 does not say that a file is gone.
Error s3_error(const HttpResponse& response, const S3Asked& asked);

}  // namespace streamrun
