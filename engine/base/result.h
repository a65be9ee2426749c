#pragma once

#include <streamrun/base/assert.h>
#include <streamrun/base/error.h>

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace streamrun {

/// A value or an `Error`. The names are those of `std::expected`, to become an alias of it one day.
/// `[[nodiscard]]` because a forgotten fsync must be a compile error.
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  // NOLINTNEXTLINE(google-explicit-constructor): `return value;` and `return error;` are the point.
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return content_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & {
    SR_ASSERT(has_value(), "Result::value() of an error");
    return std::get<0>(content_);
  }
  const T& value() const& {
    SR_ASSERT(has_value(), "Result::value() of an error");
    return std::get<0>(content_);
  }
  /// By value, not `T&&` as in std::expected: a loop over `f().value()` would look into a result
  /// that is gone.
  T value() && {
    SR_ASSERT(has_value(), "Result::value() of an error");
    return std::get<0>(std::move(content_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& {
    SR_ASSERT(!has_value(), "Result::error() of a value");
    return std::get<1>(content_);
  }
  Error&& error() && {
    SR_ASSERT(!has_value(), "Result::error() of a value");
    return std::get<1>(std::move(content_));
  }

 private:
  std::variant<T, Error> content_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;
  Result() = default;
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : error_(std::move(error)) {}

  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }
  void value() const { SR_ASSERT(has_value(), "Result::value() of an error"); }
  void operator*() const { value(); }
  const Error& error() const& {
    SR_ASSERT(!has_value(), "Result::error() of a value");
    return *error_;
  }
  Error&& error() && {
    SR_ASSERT(!has_value(), "Result::error() of a value");
    return *std::move(error_);
  }

 private:
  std::optional<Error> error_;
};

/// The value, or the error as an exception: for the few places that have no return value to spend.
template <typename T>
T value_or_throw(Result<T> result) {
  if (!result) throw_error(std::move(result).error());
  return *std::move(result);
}

}  // namespace streamrun

// Returns the error early, as a statement expression that -Wpedantic accepts.
// A fresh name each time, so that one may stand inside another under -Wshadow.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define SR_CONCAT_INNER(a, b) a##b
#define SR_CONCAT(a, b) SR_CONCAT_INNER(a, b)
#define SR_TRY(expression) SR_TRY_AS(SR_CONCAT(sr_result_, __COUNTER__), expression)
#define SR_TRY_AS(result, expression)                                  \
  __extension__({                                                      \
    auto result = (expression);                                        \
    if (!result) return ::streamrun::Error(std::move(result).error()); \
    *std::move(result);                                                \
  })
// NOLINTEND(bugprone-macro-parentheses)
