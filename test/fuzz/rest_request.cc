// Requests to the running job's REST, as evhttp hands them on: paths, queries, headers and bodies.
// And addresses of running jobs.
#include <streamrun/platform/real_clock.h>
#include <streamrun/rest/http_client.h>
#include <streamrun/rest/job_api.h>

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "fuzz_target.h"

namespace {

using namespace streamrun;

const JobId kId = *parse_job_id("0123456789abcdef0123456789abcdef");

/// Does at once all that it is asked.
class WillingJob final : public JobControl {
 public:
  void ask_overview(Answer<JobOverview> answer) override {
    JobOverview job;
    job.id = kId;
    answer(std::move(job));
  }
  void cancel(Answer<void> answer) override { answer({}); }
  void take_checkpoint(bool, Answer<CheckpointSummary> answer) override {
    answer(CheckpointSummary{.id = 1, .path = "/c"});
  }
  void take_savepoint(std::string directory, Answer<std::string> answer) override {
    answer(std::move(directory));
  }
  void stop_with_savepoint(std::string directory, bool, Answer<std::string> answer) override {
    answer(std::move(directory));
  }
  void cancel_with_savepoint(std::string directory, Answer<std::string> answer) override {
    answer(std::move(directory));
  }
};

/// What stands before the next `end`, which is taken off the text with it.
std::string next(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  std::string part(text.substr(0, at));
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return part;
}

/// `METHOD PATH?QUERY`, the origin and the host, a line each, then the body.
ReceivedRequest request_of(std::string_view text) {
  ReceivedRequest request;
  request.method = next(text, ' ');
  std::string target = "/" + next(text, '\n');
  if (target.starts_with("//")) target.erase(0, 1);
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string::npos) request.query = target.substr(question + 1);
  for (const char* const name : {"origin", "host"}) {
    if (std::string value = next(text, '\n'); !value.empty())
      request.headers.emplace_back(name, std::move(value));
  }
  request.body = text;
  return request;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text_of(data, size);
  const ReceivedRequest request = request_of(bytes);
  fuzz::require(request.parameter("mode").size() <= request.query.size(),
                "a parameter is a part of the query");
  WillingJob job;
  const RealClock clock;
  RealRandom random;
  JobApi api(job, clock, random,
             {.id = kId,
              .name = "fuzzed",
              .started_unix_ms = 1,
              .has_savepoint_directory = true,
              .version = "0",
              .host_names = {},
              .any_host = false,
              .dispose = [](const std::string&) { return Result<void>(); },
              .cancelling = [] {}});
  const RestAnswer answer = api.answer(request);
  fuzz::require(answer.status >= 200 && answer.status < 500, "no request is our fault");
  const auto body = nlohmann::json::parse(answer.body, nullptr, false);
  fuzz::require(body.is_object(), "an answer is a JSON object");
  fuzz::require(answer.status < 400 || body.contains("errors"), "a refusal says why");
  if (const auto address = parse_http_address(bytes)) {
    const auto again = parse_http_address(address->url());
    fuzz::require(again && again->url() == address->url(), "an address leads to itself");
  }
  return 0;
}
