#include <streamrun/base/ids.h>

#include <string>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

TEST_CASE("operator id: is the one that Flink gives the uid", "[base]") {
  const auto [uid, id] = GENERATE(table<std::string, std::string>({
      {"source-id", "bd9c186e89cc37a76d776844dfa8ccba"},
      {"mapper-id", "c9cecfed5cae9d489451c50e442666e3"},
      {"a", "897859f6655555855a890e51483ab5e6"},
      {"uid-1", "c49f9afd6c708fcc3cdcba1bd00469ba"},
      {"h\u00e9llo", "8a5c8572117b314e05bd7394dc339d41"},
      {"", "00000000000000000000000000000000"},
  }));
  CHECK(to_string(operator_id_of(uid)) == id);
}

TEST_CASE("operator id: uids of every length up to two blocks differ", "[base]") {
  OperatorId last = operator_id_of("");
  for (std::size_t length = 1; length <= 33; ++length) {
    const OperatorId next = operator_id_of(std::string(length, 'x'));
    CHECK(next != last);
    last = next;
  }
}

TEST_CASE("job id: reads 32 hex digits of either case and prints them in lower case", "[base]") {
  const Result<JobId> id = parse_job_id("FD72014d4c864993a2e5a9287b4a9c5d");
  REQUIRE(id);
  CHECK(to_string(*id) == "fd72014d4c864993a2e5a9287b4a9c5d");
  CHECK_FALSE(id->is_nil());
  CHECK(parse_job_id(std::string(32, '0')).value().is_nil());
}

TEST_CASE("job id: anything else is a usage error that shows the form", "[base]") {
  const std::string text =
      GENERATE("", "fd72014d4c864993a2e5a9287b4a9c5", "fd72014d4c864993a2e5a9287b4a9c5dd",
               "gd72014d4c864993a2e5a9287b4a9c5d", "0xfd72014d4c864993a2e5a9287b4a9c",
               "../../../../../../../../etc/pass");
  const Result<JobId> id = parse_job_id(text);
  REQUIRE_FALSE(id);
  CHECK(id.error().code == ErrorCode::usage);
  CHECK_THAT(id.error().message, Catch::Contains("32 hex digits"));
}

}  // namespace
}  // namespace streamrun
