#include "sigv4.h"

#include <streamrun/base/assert.h>
#include <streamrun/base/strings.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "s3_date.h"

namespace streamrun {
namespace {

using Digest = std::array<unsigned char, 32>;

std::string hex(const Digest& digest) {
  std::string text;
  for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

std::string_view view(const Digest& digest) {
  // OpenSSL has bytes as unsigned char.
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Digest hmac(std::string_view key, std::string_view text) {
  Digest digest{};
  unsigned length = 0;
  const unsigned char* const done = ::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()),
                                           reinterpret_cast<const unsigned char*>(text.data()),
                                           text.size(), digest.data(), &length);
  SR_ASSERT(done != nullptr && length == digest.size(), "HMAC-SHA256 is there");
  return digest;
}

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

/// Without blanks at the ends, and with single ones inside.
std::string squeezed(std::string_view value) {
  std::string text;
  for (const char c : trim(value)) {
    if (c != ' ' || text.empty() || text.back() != ' ') text += c;
  }
  return text;
}

struct CanonicalHeaders {
  std::string lines;
  std::string names;
};

CanonicalHeaders canonical(const HttpHeaders& headers) {
  HttpHeaders sorted;
  for (const auto& [name, value] : headers)
    sorted.emplace_back(to_lower_ascii(name), squeezed(value));
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  CanonicalHeaders found;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const auto& [name, value] = sorted[i];
    if (i > 0 && sorted[i - 1].first == name) {  // one line for all values of a name
      found.lines.back() = ',';
      found.lines += value + '\n';
      continue;
    }
    found.lines += fmt::format("{}:{}\n", name, value);
    found.names += fmt::format("{}{}", found.names.empty() ? "" : ";", name);
  }
  return found;
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  Digest digest{};
  unsigned length = 0;
  const int done =
      ::EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, ::EVP_sha256(), nullptr);
  SR_ASSERT(done == 1 && length == digest.size(), "SHA-256 is there");
  return hex(digest);
}

std::string percent_encoded(std::string_view text, bool keep_slashes) {
  std::string encoded;
  for (const char c : text) {
    if (is_unreserved(c) || (keep_slashes && c == '/')) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string query_text(const QueryParameters& query) {
  QueryParameters encoded;
  for (const auto& [name, value] : query)
    encoded.emplace_back(percent_encoded(name, false), percent_encoded(value, false));
  std::sort(encoded.begin(), encoded.end());
  std::string text;
  for (const auto& [name, value] : encoded)
    text += fmt::format("{}{}={}", text.empty() ? "" : "&", name, value);
  return text;
}

std::string authorization_of(const SignedRequest& request, const S3Credentials& credentials,
                             const SigningScope& scope, std::int64_t unix_milliseconds) {
  const CanonicalHeaders headers = canonical(request.headers);
  const std::string canonical_request =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, request.path, query_text(request.query),
                  headers.lines, headers.names, request.payload_sha256);
  const std::string moment = amz_date(unix_milliseconds);
  const std::string day = moment.substr(0, 8);
  const std::string scope_text =
      fmt::format("{}/{}/{}/aws4_request", day, scope.region, scope.service);
  const std::string to_sign = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", moment, scope_text,
                                          sha256_hex(canonical_request));
  Digest key = hmac("AWS4" + credentials.secret_key, day);
  for (const std::string_view part :
       {std::string_view(scope.region), std::string_view(scope.service),
        std::string_view("aws4_request")})
    key = hmac(view(key), part);
  return fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                     credentials.access_key, scope_text, headers.names,
                     hex(hmac(view(key), to_sign)));
}

}  // namespace streamrun
