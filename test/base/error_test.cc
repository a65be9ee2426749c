#include <streamrun/base/error.h>
#include <streamrun/base/result.h>
#include <streamrun/base/unique_function.h>

#include <memory>
#include <set>
#include <string>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

Error path_error() {
  return {.code = ErrorCode::path, .message = "no such file", .where = "/data/in"};
}

Result<int> half_of(int value) {
  if (value % 2 != 0) return Error{.code = ErrorCode::usage, .message = "odd"};
  return value / 2;
}

Result<int> quarter_of(int value) {
  return SR_TRY(half_of(SR_TRY(half_of(value))));
}

Result<void> check_even(int value) {
  SR_TRY(half_of(value));
  return {};
}

TEST_CASE("error: the headline holds code, message and place", "[base]") {
  CHECK(path_error().headline() == "E-PATH: no such file (/data/in)");
  CHECK(Error{.code = ErrorCode::lock, .message = "held"}.headline() == "E-LOCK: held");
}

TEST_CASE("error: every code has one row, one text and an exit status", "[base]") {
  std::set<std::string_view> texts;
  std::set<ErrorCode> codes;
  for (const ErrorCodeInfo& info : all_error_codes()) {
    CHECK(texts.insert(info.text).second);
    CHECK(codes.insert(info.code).second);
    CHECK(info.text.substr(0, 2) == "E-");
    CHECK(info.exit_status > 0);
    CHECK(info.exit_status < 126);
    CHECK_FALSE(info.explanation.empty());
    CHECK(&info_of(info.code) == &info);
  }
  // The last enumerator: a code added behind it has to be added here, one without a row fails the
  // count.
  CHECK(codes.size() == static_cast<std::size_t>(ErrorCode::cancelled) + 1);
}

TEST_CASE("result: SR_TRY hands on the value or returns the error", "[base]") {
  CHECK(quarter_of(12).value() == 3);
  CHECK(quarter_of(6).error().message == "odd");
  CHECK(quarter_of(7).error().code == ErrorCode::usage);
  CHECK(check_even(4));
  CHECK_FALSE(check_even(5));
}

TEST_CASE("result: carries what can only be moved", "[base]") {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(5));
  const std::unique_ptr<int> value = *std::move(result);
  CHECK(*value == 5);
}

TEST_CASE("value_or_throw: throws the error that a result holds", "[base]") {
  CHECK(value_or_throw(half_of(4)) == 2);
  try {
    value_or_throw(Result<int>(path_error()));
    FAIL("nothing was thrown");
  } catch (const ErrorException& thrown) {
    CHECK(thrown.error().where == "/data/in");
  }
}

TEST_CASE("unique function: owns what can't be copied", "[base]") {
  UniqueFunction<int(int)> add = [five = std::make_unique<int>(5)](int value) {
    return *five + value;
  };
  UniqueFunction<int(int)> moved = std::move(add);
  CHECK(moved(2) == 7);
  CHECK(static_cast<bool>(moved));
  CHECK_FALSE(static_cast<bool>(UniqueFunction<void()>()));
}

}  // namespace
}  // namespace streamrun
