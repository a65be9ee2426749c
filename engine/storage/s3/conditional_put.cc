#include "conditional_put.h"

#include <utility>

#include <fmt/format.h>

#include "s3_xml.h"

namespace streamrun {
namespace {

/// A checkpoint that is in doubt ends the job if it can't be withdrawn either, so half a minute of
/// an outage is waited for first.
constexpr int kMoreForPublishing = 8;

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

Error in_doubt(const S3Request& request, const Error& last) {
  return {.code = ErrorCode::store_fatal,
          .message =
              "it is in doubt whether the object was published: it may or may not exist, "
              "and may still appear",
          .where = request.where,
          .why = last.headline() + (last.why.empty() ? "" : ": " + last.why),
          .retry = Retry::no};
}

/// Whether S3 itself says that nothing was done, and nothing will be.
bool says_undone(const HttpResponse& answer) {
  const bool is_refusal = answer.status / 100 == 4 || answer.status == 503;
  return is_refusal && parse_complaint(answer.body).has_value();
}

/// A name that nobody else has, in the folder of `key`.
std::string probe_key(const std::string& key, const std::string& uuid) {
  const std::size_t slash = key.find_last_of('/', key.empty() ? 0 : key.size() - 2);
  const std::string folder = slash == std::string::npos ? "" : key.substr(0, slash + 1);
  return folder + ".streamrun-probe-" + uuid;
}

}  // namespace

Result<bool> ConditionalPut::send(S3Request request, const Check& check, const IsOurs& is_ours) {
  Effort effort{.deadline = client_.deadline_of(request)};
  return send(request, check, is_ours, effort);
}

Result<bool> ConditionalPut::publish(S3Request request, const Check& check, const IsOurs& is_ours) {
  Effort effort{.deadline = client_.deadline_in(client_.settings().most_publish_time),
                .more_attempts = kMoreForPublishing};
  Result<bool> sent = send(request, check, is_ours, effort);
  if (sent || !effort.is_in_doubt) return sent;
  return in_doubt(request, sent.error());
}

Result<bool> ConditionalPut::send(S3Request& request, const Check& check, const IsOurs& is_ours,
                                  Effort& effort) {
  if (SR_TRY(is_enforced(request, effort.deadline))) {
    request.headers.emplace_back("if-none-match", "*");
  } else if (const auto ours = SR_TRY(client_.repeat_until(effort.deadline, is_ours))) {
    return *ours;
  }
  return client_.repeat_until(
      effort.deadline, [&] { return take_place(request, check, is_ours, effort); },
      effort.more_attempts);
}

Result<bool> ConditionalPut::take_place(S3Request& request, const Check& check,
                                        const IsOurs& is_ours, Effort& effort) {
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
  effort.is_in_doubt =
      effort.is_in_doubt || (answer ? !says_undone(*answer) : may_have_arrived(*error));
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

Result<bool> ConditionalPut::is_enforced(const S3Request& beside, Instant deadline) {
  const bool enforced = SR_TRY(probe_with_others(beside, deadline));
  if (!enforced && !client_.settings().allow_unconditional) return not_enforced(beside);
  return enforced;
}

Result<bool> ConditionalPut::probe_with_others(const S3Request& beside, Instant deadline) {
  std::promise<Result<bool>> promise;
  {
    std::unique_lock lock(mutex_);
    const auto known = enforced_.find(beside.bucket);
    if (known != enforced_.end()) return known->second;
    const auto other = under_way_.find(beside.bucket);
    if (other != under_way_.end()) {
      const Probed probed = other->second;
      lock.unlock();
      Result<bool> outcome = probed.get();
      if (outcome) return outcome;
      Error error = outcome.error();
      error.where = beside.where;
      return error;
    }
    under_way_.emplace(beside.bucket, promise.get_future().share());
  }
  Result<bool> outcome = probe(beside, deadline);
  {
    const std::lock_guard lock(mutex_);
    if (outcome) enforced_.emplace(beside.bucket, *outcome);
    under_way_.erase(beside.bucket);
  }
  promise.set_value(outcome);
  return outcome;
}

Result<bool> ConditionalPut::probe(const S3Request& beside, Instant deadline) {
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
  if (SR_TRY(client_.repeat_until(deadline, put)) == 501) return false;  // it knows no such header
  const Result<int> second = client_.repeat_until(deadline, put);
  S3Request away = request;
  away.method = "DELETE";
  away.headers.clear();
  // Only tidiness: the object is empty and nobody looks for it.
  const auto remove = [&]() -> Result<void> {
    const HttpResponse answer = SR_TRY(client_.attempt(away));
    if (answer.body.empty()) return {};
    return client_.error_of(answer, away);
  };
  static_cast<void>(client_.repeat_until(deadline, remove).has_value());
  return SR_TRY(second) == 412;
}

}  // namespace streamrun
