#pragma once

#include <streamrun/operators/keyed_process_operator.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace streamrun::test {

using namespace std::chrono_literals;

// What stands between the marks is in README.md, word for word.
// [README]
struct Visit {
  std::int64_t count = 0;
  std::string page;

  static auto fields() {
    return named_fields(field("count", &Visit::count),
                        field("page", &Visit::page, "/"));  // was added later
  }
};

struct Click {
  std::string user;
  std::string page;
  std::int64_t milliseconds = 0;
};

// key_by(&Click::user).process(Sessions(), {.uid = "sessions"})
struct Sessions {
  ValueState<Visit> last{"last", StateTtlConfig{.ttl = 30min}};
  ListState<std::string> path{"path", StateTtlConfig{.ttl = 30min}};
  MapState<std::string, std::int64_t> pages{"pages"};
  ReducingState<std::int64_t, std::plus<>> total{"total"};

  void process(const Click& click, KeyedContext<std::string>& context,
               Output<std::string>& output) {
    const Visit before = last.value_or({});
    last.update({.count = before.count + 1, .page = click.page});
    path.add(click.page);
    const std::int64_t* const seen = pages.get(click.page);
    pages.put(click.page, seen != nullptr ? *seen + 1 : 1);
    total.add(click.milliseconds);
    std::string line = std::string(context.key()) + " " + std::to_string(*total.get()) + " ms:";
    for (const std::string& page : path.get()) line += " " + page;
    for (const auto& [page, times] : pages.entries())
      line += " " + page + "=" + std::to_string(times);
    output.emit(line);
  }
};
// [README]

}  // namespace streamrun::test
