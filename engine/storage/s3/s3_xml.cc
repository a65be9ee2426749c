#include "s3_xml.h"

#include <streamrun/platform/first_bytes.h>

#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "s3_date.h"

namespace streamrun {
namespace {

constexpr std::size_t kMostListedKeyBytes = 1024;
constexpr std::size_t kMostTextBytes = 65536;  // of tokens, ids and messages

Error nonsense(const std::string& body, std::string_view expected) {
  return {.code = ErrorCode::unavailable,
          .message = fmt::format("the answer is not the {} that was asked for", expected),
          .why = first_bytes(body)};
}

/// Parses into `document`; an element without name if the root is not `root`. Entities other than
/// XML's own stay as they are, and no DTD is read.
pugi::xml_node root_of(pugi::xml_document& document, const std::string& body, const char* root) {
  const pugi::xml_parse_result parsed = document.load_buffer(
      body.data(), body.size(), pugi::parse_default | pugi::parse_ws_pcdata, pugi::encoding_utf8);
  return parsed ? document.child(root) : pugi::xml_node();
}

std::string text_of(const pugi::xml_node& parent, const char* name) {
  const std::string text = parent.child(name).text().get();
  return text.size() <= kMostTextBytes ? text : std::string();
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// What `encoding-type=url` did to a key: a plus is a blank.
std::string decoded(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low >= 0) {
      plain += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      plain += text[i] == '+' ? ' ' : text[i];
    }
  }
  return plain;
}

bool is_key(const std::string& key) {
  return !key.empty() && key.size() <= kMostListedKeyBytes && key.find('\0') == std::string::npos;
}

bool read_objects(const pugi::xml_node& root, bool encoded, S3Listing& listing) {
  for (const pugi::xml_node& node : root.children("Contents")) {
    const std::string text = text_of(node, "Key");
    S3ListedObject object{.key = encoded ? decoded(text) : text};
    const std::optional<std::uint64_t> size = parse_s3_number(text_of(node, "Size"));
    if (!is_key(object.key) || !size) return false;
    object.size = *size;
    object.modified_unix_milliseconds = parse_s3_date(text_of(node, "LastModified")).value_or(0);
    listing.objects.push_back(std::move(object));
  }
  return true;
}

bool read_prefixes(const pugi::xml_node& root, bool encoded, S3Listing& listing) {
  for (const pugi::xml_node& node : root.children("CommonPrefixes")) {
    const std::string text = text_of(node, "Prefix");
    std::string prefix = encoded ? decoded(text) : text;
    if (!is_key(prefix)) return false;
    listing.common_prefixes.push_back(std::move(prefix));
  }
  return true;
}

}  // namespace

std::optional<std::uint64_t> parse_s3_number(const std::string& text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, value);
  if (text.empty() || problem != std::errc() || stop != end) return std::nullopt;
  return value;
}

Result<S3Listing> parse_listing(const std::string& body) {
  pugi::xml_document document;
  const pugi::xml_node root = root_of(document, body, "ListBucketResult");
  if (!root) return nonsense(body, "listing");
  const bool encoded = text_of(root, "EncodingType") == "url";
  S3Listing listing;
  if (!read_objects(root, encoded, listing) || !read_prefixes(root, encoded, listing))
    return nonsense(body, "listing");
  if (text_of(root, "IsTruncated") != "true") return listing;
  listing.next_token = text_of(root, "NextContinuationToken");
  // Without it the rest can't be had, and half of a listing is none.
  if (listing.next_token.empty()) return nonsense(body, "listing");
  return listing;
}

Result<std::string> parse_upload_id(const std::string& body) {
  pugi::xml_document document;
  std::string id = text_of(root_of(document, body, "InitiateMultipartUploadResult"), "UploadId");
  if (id.empty()) return nonsense(body, "beginning of an upload");
  return id;
}

Result<std::string> parse_etag(const std::string& body) {
  for (const char* const root :
       {"CopyObjectResult", "CopyPartResult", "CompleteMultipartUploadResult"}) {
    pugi::xml_document document;
    std::string etag = text_of(root_of(document, body, root), "ETag");
    if (!etag.empty()) return etag;
  }
  return nonsense(body, "result of a copy or an upload");
}

std::optional<S3Complaint> parse_complaint(const std::string& body) {
  pugi::xml_document document;
  const pugi::xml_node root = root_of(document, body, "Error");
  S3Complaint complaint{.code = text_of(root, "Code"),
                        .message = text_of(root, "Message"),
                        .region = text_of(root, "Region")};
  if (complaint.code.empty()) return std::nullopt;
  return complaint;
}

std::string complete_upload_body(const std::vector<std::string>& etags) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("CompleteMultipartUpload");
  for (std::size_t i = 0; i < etags.size(); ++i) {
    pugi::xml_node part = root.append_child("Part");
    part.append_child("PartNumber").text().set(std::to_string(i + 1).c_str());
    part.append_child("ETag").text().set(etags[i].c_str());
  }
  struct Text final : pugi::xml_writer {
    void write(const void* data, std::size_t size) override {
      bytes.append(static_cast<const char*>(data), size);
    }
    std::string bytes;
  } text;
  document.save(text, "", pugi::format_raw | pugi::format_no_declaration);
  return std::move(text.bytes);
}

}  // namespace streamrun
