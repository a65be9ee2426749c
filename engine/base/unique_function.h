#pragma once

#include <streamrun/base/assert.h>

#include <memory>
#include <type_traits>
#include <utility>

namespace streamrun {

/// A callable that may own what can't be copied (`std::move_only_function` comes with C++23 only).
template <typename Signature>
class UniqueFunction;

template <typename R, typename... Args>
class UniqueFunction<R(Args...)> {
 public:
  UniqueFunction() = default;
  template <typename F>
  requires(!std::is_same_v<std::decay_t<F>, UniqueFunction> &&
           std::is_invocable_r_v<R, F&, Args...>)
      // NOLINTNEXTLINE(google-explicit-constructor): a lambda is passed where one is expected.
      UniqueFunction(F function)
      : callable_(std::make_unique<Holder<F>>(std::move(function))) {}

  explicit operator bool() const { return callable_ != nullptr; }
  R operator()(Args... args) {
    SR_ASSERT(callable_ != nullptr, "an empty UniqueFunction was called");
    return callable_->call(std::forward<Args>(args)...);
  }

 private:
  struct Callable {
    virtual ~Callable() = default;
    virtual R call(Args... args) = 0;
  };
  template <typename F>
  struct Holder final : Callable {
    explicit Holder(F function) : function_(std::move(function)) {}
    R call(Args... args) override { return function_(std::forward<Args>(args)...); }
    F function_;
  };
  std::unique_ptr<Callable> callable_;
};

}  // namespace streamrun
