#pragma once

#include <streamrun/base/result.h>

#include <string>

namespace streamrun {

/// Whether `s3.endpoint` is one: `http://host:port` or `https://host`, with a path below which the
/// store lies if need be; without a scheme it is https; empty is Amazon's. E-CONF that names the
/// key and not the value, which may hold a password where it should not.
Result<void> check_s3_endpoint(const std::string& endpoint);

}  // namespace streamrun
