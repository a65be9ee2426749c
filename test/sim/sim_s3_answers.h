#pragma once

#include <streamrun/platform/transport.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace streamrun::sim {

/// A response whose body is an `Error`.
HttpResponse s3_complaint(int status, const std::string& code, const std::string& message = "so");
HttpResponse s3_xml(const std::string& body);
std::string xml_text(const std::string& text);
std::string percent_decoded(std::string_view text);
/// `Wed, 12 Oct 2009 17:50:00 GMT`.
std::string http_date(std::int64_t unix_milliseconds);
/// Of `20150830T123600Z`.
std::optional<std::int64_t> parse_amz_date(const std::string& text);

}  // namespace streamrun::sim
