#include "conditional_put.h"

#include <utility>

#include <fmt/format.h>

namespace streamrun {
namespace {

Error not_enforced(const S3Request& request) {
  return {.code = ErrorCode::store_io,
          .message =
              "this endpoint does not enforce If-None-Match: two runners of one job could "
              "overwrite each other's checkpoints",
          .where = request.where,
          .why = "a second PUT of one name with that condition did not answer 412",
          .tries = {"s3.allow-unconditional: true  # to run without"},
          .retry = Retry::no};
}

/// A name that nobody else has, in the folder of `key`.
std::string probe_key(const std::string& key, const std::string& uuid) {
  const std::size_t slash = key.find_last_of('/', key.empty() ? 0 : key.size() - 2);
  const std::string folder = slash == std::string::npos ? "" : key.substr(0, slash + 1);
  return folder + ".streamrun-probe-" + uuid;
}

}  // namespace

Result<bool> ConditionalPut::send(S3Request request, const Check& check, const IsOurs& is_ours,
                                  int more) {
  if (SR_TRY(is_enforced(request))) {
    request.headers.emplace_back("if-none-match", "*");
  } else if (const auto ours = SR_TRY(client_.repeat(is_ours))) {
    return *ours;
  }
  return client_.repeat([&] { return take_place(request, check, is_ours); }, more);
}

Result<bool> ConditionalPut::take_place(S3Request& request, const Check& check,
                                        const IsOurs& is_ours) {
  const Result<HttpResponse> answer = client_.once(request);
  std::optional<Error> error;
  bool is_taken = false;
  if (!answer) {
    error = answer.error();
  } else if (answer->status / 100 == 2) {
    const Result<void> checked = check(*answer);
    if (checked) return true;
    error = checked.error();
  } else {
    error = client_.error_of(*answer, request);
    is_taken = answer->status == 412;
  }
  // An upload that is not there any more may have been completed by an attempt whose reply was
  // lost.
  const bool may_be_done = error->code == ErrorCode::unavailable || is_taken ||
                           (request.method == "POST" && answer && answer->status == 404);
  if (!may_be_done) return *error;
  if (const auto ours = SR_TRY(is_ours())) return *ours;
  // Taken, and free again already.
  if (is_taken) error->code = ErrorCode::unavailable;
  return *error;
}

Result<bool> ConditionalPut::is_enforced(const S3Request& beside) {
  const std::lock_guard lock(mutex_);
  auto known = enforced_.find(beside.bucket);
  if (known == enforced_.end())
    known = enforced_.emplace(beside.bucket, SR_TRY(probe(beside))).first;
  if (!known->second && !client_.settings().allow_unconditional) return not_enforced(beside);
  return known->second;
}

Result<bool> ConditionalPut::probe(const S3Request& beside) {
  S3Request request{.what = "try whether the store keeps conditions",
                    .where = beside.where,
                    .method = "PUT",
                    .bucket = beside.bucket,
                    .key = probe_key(beside.key, client_.random().uuid()),
                    .headers = {{"if-none-match", "*"}}};
  // The status, of an answer that is one.
  const auto put = [&]() -> Result<int> {
    const HttpResponse answer = SR_TRY(client_.once(request));
    const bool is_written = answer.status / 100 == 2 && !header_of(answer, "etag").empty();
    const bool tells = is_written || answer.status == 412 || answer.status == 501;
    if (tells) return answer.status;
    return client_.error_of(answer, request);
  };
  if (SR_TRY(client_.repeat(put)) == 501) return false;  // it knows no such header
  const Result<int> second = client_.repeat(put);
  S3Request away = request;
  away.method = "DELETE";
  away.headers.clear();
  // Only tidiness: the object is empty and nobody looks for it.
  const auto remove = [&]() -> Result<void> {
    const HttpResponse answer = SR_TRY(client_.attempt(away));
    if (answer.body.empty()) return {};
    return client_.error_of(answer, away);
  };
  static_cast<void>(client_.repeat(remove).has_value());
  return SR_TRY(second) == 412;
}

}  // namespace streamrun
