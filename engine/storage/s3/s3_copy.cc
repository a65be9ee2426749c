#include "s3_copy.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace streamrun {
namespace {

S3Request copy_request(const S3Place& from, const S3ObjectInfo& info, const S3Place& to) {
  return {
      .what = "copy the object to " + to.path,
      .where = from.path,
      .method = "PUT",
      .bucket = to.bucket,
      .key = to.key,
      .headers = {{"x-amz-copy-source", "/" + from.bucket + "/" + percent_encoded(from.key, true)},
                  {"x-amz-copy-source-if-match", info.etag}}};
}

/// Sends it until it is answered with an ETag: such an answer may be an error with status 200.
Result<std::string> copied(S3Client& client, S3Request& request) {
  return client.repeat_until(client.deadline_of(request), [&]() -> Result<std::string> {
    const HttpResponse response = SR_TRY(client.attempt(request));
    Result<std::string> etag = parse_etag(response.body);
    if (!etag) return client.error_of(response, request);
    return etag;
  });
}

Result<std::string> begin_upload(S3Client& client, const S3Place& to) {
  S3Request request{.what = "begin an upload",
                    .where = to.path,
                    .method = "POST",
                    .bucket = to.bucket,
                    .key = to.key,
                    .query = {{"uploads", ""}}};
  return client.repeat([&]() -> Result<std::string> {
    const HttpResponse response = SR_TRY(client.attempt(request));
    Result<std::string> id = parse_upload_id(response.body);
    if (!id) return client.error_of(response, request);
    return id;
  });
}

Result<void> copy_parts(S3Client& client, const S3Place& from, const S3ObjectInfo& info,
                        const S3Place& to, const std::string& upload) {
  std::vector<std::string> etags;
  const std::uint64_t part_bytes = client.settings().copy_part_bytes;
  for (std::uint64_t begin = 0; begin < info.size; begin += part_bytes) {
    const std::uint64_t end = std::min(info.size, begin + part_bytes);
    S3Request request = copy_request(from, info, to);
    request.query = {{"partNumber", std::to_string(etags.size() + 1)}, {"uploadId", upload}};
    request.headers.emplace_back("x-amz-copy-source-range",
                                 fmt::format("bytes={}-{}", begin, end - 1));
    request.copied_bytes = end - begin;
    etags.push_back(SR_TRY(copied(client, request)));
  }
  S3Request request = copy_request(from, info, to);
  request.method = "POST";
  request.query = {{"uploadId", upload}};
  request.headers = {{"content-type", "application/xml"}};
  request.body = complete_upload_body(etags);
  request.copied_bytes = info.size;
  SR_TRY(copied(client, request));
  return {};
}

Result<void> copy_large(S3Objects& objects, const S3Place& from, const S3ObjectInfo& info,
                        const S3Place& to) {
  S3Client& client = objects.client();
  const std::string upload = SR_TRY(begin_upload(client, to));
  Result<void> done = copy_parts(client, from, info, to, upload);
  if (done) return done;
  // The reply of the last step may have been lost: what lies there tells.
  const std::optional<S3ObjectInfo> copy = SR_TRY(objects.head(to));
  if (copy && copy->size == info.size) return {};
  S3Request abort{.what = "abort the upload",
                  .where = to.path,
                  .method = "DELETE",
                  .bucket = to.bucket,
                  .key = to.key,
                  .query = {{"uploadId", upload}}};
  static_cast<void>(client.once(abort).has_value());  // what stays is invisible
  return done;
}

}  // namespace

Result<void> copy_object(S3Objects& objects, const S3Place& from, const S3ObjectInfo& info,
                         const S3Place& to) {
  if (info.size > objects.client().settings().most_copy_bytes)
    return copy_large(objects, from, info, to);
  S3Request request = copy_request(from, info, to);
  request.copied_bytes = info.size;
  SR_TRY(copied(objects.client(), request));
  return {};
}

}  // namespace streamrun
