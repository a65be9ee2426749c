#include <streamrun/base/strings.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "s3_date.h"
#include "sigv4.h"
#include "sim/sim_s3.h"
#include "sim/sim_s3_answers.h"

// What the model does with a bucket.

namespace streamrun::sim {
namespace {

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string header(const S3Seen& seen, const std::string& name) {
  const auto found = seen.headers.find(name);
  return found == seen.headers.end() ? std::string() : found->second;
}

std::map<std::string, std::string> metadata_of(const S3Seen& seen) {
  std::map<std::string, std::string> metadata;
  for (const auto& [name, value] : seen.headers) {
    if (name.starts_with("x-amz-meta-")) metadata[name] = value;
  }
  return metadata;
}

struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// `bytes=0-9`, cut where the object ends; nothing if it begins behind its end.
std::optional<ByteRange> range_of(const std::string& text, std::uint64_t size) {
  const std::size_t dash = text.find('-');
  const ByteRange range{.begin = number(std::string_view(text).substr(6, dash - 6)),
                        .end = std::min(size, number(std::string_view(text).substr(dash + 1)) + 1)};
  if (range.begin >= size || range.end <= range.begin) return std::nullopt;
  return range;
}

std::string xml_etag(const char* root, const std::string& etag) {
  return fmt::format("<{0}><ETag>{1}</ETag></{0}>", root, xml_text(etag));
}

}  // namespace

std::string percent_decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      plain += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

HttpResponse s3_complaint(int status, const std::string& code, const std::string& message) {
  return {.status = status,
          .headers = {{"content-type", "application/xml"}},
          .body = fmt::format("<?xml version=\"1.0\"?>\n<Error><Code>{}</Code><Message>{}</Message>"
                              "</Error>",
                              code, xml_text(message))};
}

HttpResponse s3_xml(const std::string& body) {
  return {.status = 200, .headers = {{"content-type", "application/xml"}}, .body = body};
}

std::string xml_text(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '<') {
      safe += "&lt;";
    } else if (c == '&') {
      safe += "&amp;";
    } else if (c == '"') {
      safe += "&quot;";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string http_date(std::int64_t unix_milliseconds) {
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::string moment = amz_date(unix_milliseconds);
  return fmt::format("Mon, {} {} {} {}:{}:{} GMT", moment.substr(6, 2),
                     kMonths[number(moment.substr(4, 2)) - 1], moment.substr(0, 4),
                     moment.substr(9, 2), moment.substr(11, 2), moment.substr(13, 2));
}

std::optional<std::int64_t> parse_amz_date(const std::string& text) {
  if (text.size() != 16) return std::nullopt;
  return parse_s3_date(fmt::format("{}-{}-{}T{}:{}:{}Z", text.substr(0, 4), text.substr(4, 2),
                                   text.substr(6, 2), text.substr(9, 2), text.substr(11, 2),
                                   text.substr(13, 2)));
}

S3Object SimS3::object_of(std::string bytes, std::map<std::string, std::string> metadata) {
  // Not of the bytes alone, so that a file that was replaced by its like shows.
  const std::string etag = fmt::format("\"{}-{}\"", sha256_hex(bytes).substr(0, 32), ++versions_);
  return {.bytes = std::move(bytes),
          .etag = etag,
          .metadata = std::move(metadata),
          .modified = now() / 1000 * 1000};
}

void SimS3::keep(S3Bucket& bucket, const S3Seen& seen, S3Object object) {
  S3Object& kept = bucket.objects[seen.key] = std::move(object);
  if (changed) changed(seen.bucket, seen.key, &kept);
}

std::optional<HttpResponse> SimS3::check_condition(const S3Bucket& bucket,
                                                   const S3Seen& seen) const {
  const bool is_free = header(seen, "if-none-match").empty() || !enforces_conditions ||
                       bucket.objects.count(seen.key) == 0;
  if (is_free) return std::nullopt;
  return s3_complaint(412, "PreconditionFailed");
}

HttpResponse SimS3::get(const S3Bucket& bucket, const S3Seen& seen) const {
  const auto found = bucket.objects.find(seen.key);
  if (found == bucket.objects.end()) return s3_complaint(404, "NoSuchKey");
  const S3Object& object = found->second;
  const std::string condition = header(seen, "if-match");
  if (!condition.empty() && condition != object.etag)
    return s3_complaint(412, "PreconditionFailed");
  HttpResponse response{
      .status = 200,
      .headers = {{"etag", object.etag}, {"last-modified", http_date(object.modified)}}};
  for (const auto& field : object.metadata) response.headers.push_back(field);
  const std::string range_text = header(seen, "range");
  if (range_text.empty()) {
    response.headers.emplace_back("content-length", std::to_string(object.bytes.size()));
    response.body = object.bytes;
    return response;
  }
  const auto range = range_of(range_text, object.bytes.size());
  if (!range) return s3_complaint(416, "InvalidRange");
  response.status = 206;
  response.body = object.bytes.substr(range->begin, range->end - range->begin);
  response.headers.emplace_back("content-length", std::to_string(response.body.size()));
  response.headers.emplace_back("content-range", fmt::format("bytes {}-{}/{}", range->begin,
                                                             range->end - 1, object.bytes.size()));
  return response;
}

HttpResponse SimS3::put(S3Bucket& bucket, const S3Seen& seen) {
  if (const auto refused = check_condition(bucket, seen)) return *refused;
  S3Object object = object_of(seen.body, metadata_of(seen));
  HttpResponse response{.status = 200, .headers = {{"etag", object.etag}}};
  keep(bucket, seen, std::move(object));
  return response;
}

HttpResponse SimS3::put_part(S3Bucket& bucket, const S3Seen& seen) {
  const auto upload = bucket.uploads.find(seen.query.at("uploadId"));
  if (upload == bucket.uploads.end()) return s3_complaint(404, "NoSuchUpload");
  const std::uint64_t part = number(seen.query.at("partNumber"));
  if (part < 1 || part > 10'000) return s3_complaint(400, "InvalidArgument");
  S3Object object = object_of(seen.body, {});
  HttpResponse response{.status = 200, .headers = {{"etag", object.etag}}};
  upload->second.parts[static_cast<int>(part)] = std::move(object);
  return response;
}

HttpResponse SimS3::copy(S3Bucket& bucket, const S3Seen& seen) {
  const std::string source = header(seen, "x-amz-copy-source");
  const std::size_t slash = source.find('/', 1);
  const auto from = buckets.find(source.substr(1, slash - 1));
  if (from == buckets.end()) return s3_complaint(404, "NoSuchBucket");
  const auto found = from->second.objects.find(percent_decoded(source.substr(slash + 1)));
  if (found == from->second.objects.end()) return s3_complaint(404, "NoSuchKey");
  const std::string condition = header(seen, "x-amz-copy-source-if-match");
  if (!condition.empty() && condition != found->second.etag)
    return s3_complaint(412, "PreconditionFailed");
  if (seen.query.count("uploadId") == 0) {
    S3Object object = object_of(found->second.bytes, found->second.metadata);
    const std::string etag = object.etag;
    keep(bucket, seen, std::move(object));
    return s3_xml(xml_etag("CopyObjectResult", etag));
  }
  S3Seen part = seen;
  const auto range = range_of(header(seen, "x-amz-copy-source-range"), found->second.bytes.size());
  if (!range) return s3_complaint(416, "InvalidRange");
  part.body = found->second.bytes.substr(range->begin, range->end - range->begin);
  HttpResponse done = put_part(bucket, part);
  if (done.status != 200) return done;
  return s3_xml(xml_etag("CopyPartResult", done.headers.front().second));
}

HttpResponse SimS3::begin_upload(S3Bucket& bucket, const S3Seen& seen) {
  const std::string id = fmt::format("upload&{}", ++upload_ids_);
  bucket.uploads[id] = {.key = seen.key, .metadata = metadata_of(seen), .parts = {}};
  return s3_xml(
      fmt::format("<InitiateMultipartUploadResult><UploadId>{}</UploadId>"
                  "</InitiateMultipartUploadResult>",
                  xml_text(id)));
}

HttpResponse SimS3::complete_upload(S3Bucket& bucket, const S3Seen& seen) {
  const auto upload = bucket.uploads.find(seen.query.at("uploadId"));
  if (upload == bucket.uploads.end()) return s3_complaint(404, "NoSuchUpload");
  if (const auto refused = check_condition(bucket, seen)) return *refused;
  pugi::xml_document document;
  if (!document.load_buffer(seen.body.data(), seen.body.size()))
    return s3_complaint(400, "MalformedXML");
  std::string bytes;
  int last = 0;
  bool has_small = false;
  for (const pugi::xml_node& node : document.child("CompleteMultipartUpload").children("Part")) {
    const int part = node.child("PartNumber").text().as_int();
    const auto found = upload->second.parts.find(part);
    if (part <= last) return s3_complaint(400, "InvalidPartOrder");
    if (found == upload->second.parts.end() ||
        found->second.etag != node.child("ETag").text().get())
      return s3_complaint(400, "InvalidPart");
    if (has_small) return s3_complaint(400, "EntityTooSmall");
    has_small = found->second.bytes.size() < least_part_bytes;
    bytes += found->second.bytes;
    last = part;
  }
  if (last == 0) return s3_complaint(400, "MalformedXML");
  S3Object object = object_of(std::move(bytes), upload->second.metadata);
  const std::string etag = object.etag;
  keep(bucket, seen, std::move(object));
  bucket.uploads.erase(upload);
  return s3_xml(xml_etag("CompleteMultipartUploadResult", etag));
}

HttpResponse SimS3::list(const S3Bucket& bucket, const S3Seen& seen) const {
  const auto value = [&seen](const char* name) {
    const auto found = seen.query.find(name);
    return found == seen.query.end() ? std::string() : found->second;
  };
  const std::string prefix = value("prefix");
  const std::string token = value("continuation-token");
  const std::size_t most = value("max-keys").empty()
                               ? page_keys
                               : std::min<std::size_t>(page_keys, number(value("max-keys")));
  // Objects and what they have in common, in the order of their names.
  std::map<std::string, const S3Object*> entries;
  for (const auto& [key, object] : bucket.objects) {
    if (!key.starts_with(prefix)) continue;
    const std::size_t slash = key.find('/', prefix.size());
    if (slash == std::string::npos) {
      entries[key] = &object;
    } else {
      entries[key.substr(0, slash + 1)] = nullptr;
    }
  }
  std::string body = "<ListBucketResult><EncodingType>url</EncodingType>";
  std::size_t count = 0;
  std::string last;
  for (auto entry = entries.upper_bound(token); entry != entries.end(); ++entry) {
    if (count++ == most) {
      body += fmt::format(
          "<IsTruncated>true</IsTruncated><NextContinuationToken>{}"
          "</NextContinuationToken>",
          xml_text(last));
      break;
    }
    last = entry->first;
    const std::string name = percent_encoded(entry->first, true);
    if (entry->second == nullptr) {
      body += fmt::format("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", name);
    } else {
      body += fmt::format(
          "<Contents><Key>{}</Key><Size>{}</Size><LastModified>{}</LastModified>"
          "</Contents>",
          name, entry->second->bytes.size(), rfc3339(entry->second->modified));
    }
  }
  return s3_xml(body + "</ListBucketResult>");
}

}  // namespace streamrun::sim
