#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "kinds_cases.h"

namespace streamrun {
namespace {

using namespace std::chrono_literals;
using UpdateType = StateTtlConfig::UpdateType;
using Visibility = StateTtlConfig::Visibility;
using Op = KindsOperator;

/// Ten milliseconds, and nothing is cleaned up but what is read: what is seen shows the meaning.
constexpr StateTtlConfig kOnWrite{.ttl = 10ms, .cleanup_size = 0};
constexpr StateTtlConfig kOnRead{
    .ttl = 10ms, .update_type = UpdateType::on_read_and_write, .cleanup_size = 0};
constexpr StateTtlConfig kShown{
    .ttl = 10ms, .visibility = Visibility::return_expired_if_not_cleaned_up, .cleanup_size = 0};

/// How one kind of state is written, once and again, and what is seen of it then.
struct Kind {
  const char* name;
  void (*write)(EveryKind& states);
  void (*write_again)(EveryKind& states);
  void (*read)(const EveryKind& states);
  SeenKinds written;
  SeenKinds written_again;
};

std::vector<Kind> kinds() {
  return {
      {"value state",
       [](EveryKind& states) { states.value.update("x"); },
       [](EveryKind& states) { states.value.update("y"); },
       [](const EveryKind& states) { static_cast<void>(states.value.get()); },
       {.value = "x"},
       {.value = "y"}},
      {"list state",
       [](EveryKind& states) { states.list.update({1}); },
       [](EveryKind& states) {
         states.list.update({2, 3});
       },
       [](const EveryKind& states) { static_cast<void>(states.list.get()); },
       {.list = {1}},
       {.list = {2, 3}}},
      {"map state",
       [](EveryKind& states) { states.map.put(1, "one"); },
       [](EveryKind& states) { states.map.put(1, "ONE"); },
       [](const EveryKind& states) { static_cast<void>(states.map.get(1)); },
       {.map = {{1, "one"}}},
       {.map = {{1, "ONE"}}}},
      {"reducing state",
       [](EveryKind& states) { states.reducing.add(1); },
       [](EveryKind& states) { states.reducing.add(2); },
       [](const EveryKind& states) { static_cast<void>(states.reducing.get()); },
       {.reduced = 1},
       {.reduced = 3}},
      {"aggregating state",
       [](EveryKind& states) { states.aggregating.add(2); },
       [](EveryKind& states) { states.aggregating.add(6); },
       [](const EveryKind& states) { static_cast<void>(states.aggregating.get()); },
       {.mean = 2},
       {.mean = 4}},
  };
}

void add_cases_of(const Kind& kind, std::vector<KindsCase>& table) {
  const auto add = [&](const char* fact, const StateTtlConfig& ttl, std::function<void(Op&)> steps,
                       std::optional<Lines> rows = {}) {
    table.push_back({std::string("ttl of ") + kind.name + ": " + fact,
                     std::move(steps),
                     std::move(rows),
                     {.ttl = ttl}});
  };
  add(
      "it has expired when its time is over, not before", kOnWrite,
      [kind](Op& op) {
        kind.write(op.at("a"));
        op.pass(9);
        CHECK(seen(op.at("a")) == kind.written);
        op.pass(1);
        CHECK(seen(op.at("a")) == SeenKinds{});
      },
      Lines{});
  add("a write makes it young again", kOnWrite, [kind](Op& op) {
    kind.write(op.at("a"));
    op.pass(9);
    kind.write_again(op.at("a"));
    op.pass(9);
    CHECK(seen(op.at("a")) == kind.written_again);
    op.pass(1);
    CHECK(seen(op.at("a")) == SeenKinds{});
  });
  add("a read does not make it young unless it is to", kOnWrite, [kind](Op& op) {
    kind.write(op.at("a"));
    op.pass(9);
    kind.read(op.at("a"));
    op.pass(9);
    CHECK(seen(op.at("a")) == SeenKinds{});
  });
  add("a read makes it young if it is to", kOnRead, [kind](Op& op) {
    kind.write(op.at("a"));
    for (int i = 0; i < 3; ++i) {
      op.pass(9);
      kind.read(op.at("a"));
    }
    op.pass(9);
    CHECK(seen(op.at("a")) == kind.written);
    op.pass(10);
    CHECK(seen(op.at("a")) == SeenKinds{});
  });
  add("a read does not bring back what has expired", kOnRead, [kind](Op& op) {
    kind.write(op.at("a"));
    op.pass(10);
    kind.read(op.at("a"));
    CHECK(seen(op.at("a")) == SeenKinds{});
  });
  add("a write to what has expired begins anew", kOnWrite, [kind](Op& op) {
    kind.write(op.at("a"));
    op.pass(10);
    kind.write(op.at("a"));
    CHECK(seen(op.at("a")) == kind.written);
    op.pass(9);
    CHECK(seen(op.at("a")) == kind.written);
  });
  add(
      "what has expired may be shown, and is in no snapshot", kShown,
      [kind](Op& op) {
        kind.write(op.at("a"));
        op.pass(10);
        CHECK(seen(op.at("a")) == kind.written);
        op.restart();
        CHECK(seen(op.at("a")) == SeenKinds{});
      },
      Lines{});
  add("time goes on while a job is down", kOnWrite, [kind](Op& op) {
    kind.write(op.at("a"));
    op.pass(5);
    kind.write(op.at("b"));
    const SubtaskHandles handles = op.snapshot();
    op.pass(5);
    op.restore(handles);
    CHECK(seen(op.at("a")) == SeenKinds{});
    CHECK(seen(op.at("b")) == kind.written);
    op.pass(5);
    CHECK(seen(op.at("b")) == SeenKinds{});
  });
  add("a clear leaves nothing, expired or not", kShown, [kind](Op& op) {
    for (const char* const key : {"a", "b"}) kind.write(op.at(key));
    const auto clear_all = [&](const char* key) {
      EveryKind& states = op.at(key);
      states.value.clear();
      states.list.clear();
      states.map.clear();
      states.reducing.clear();
      states.aggregating.clear();
    };
    clear_all("a");
    op.pass(10);
    clear_all("b");
    for (const char* const key : {"a", "b"}) CHECK(seen(op.at(key)) == SeenKinds{});
  });
  add("a state may begin and cease to have one", {}, [kind](Op& op) {
    kind.write(op.at("a"));
    op.pass(100);
    op.restart_with(kOnWrite);  // as if it was written now
    op.pass(9);
    CHECK(seen(op.at("a")) == kind.written);
    const SubtaskHandles handles = op.snapshot();
    op.pass(1);
    CHECK(seen(op.at("a")) == SeenKinds{});
    op.restore(handles);
    CHECK(seen(op.at("a")) == SeenKinds{});
    kind.write(op.at("a"));
    op.restart_with({});
    op.pass(100);
    CHECK(seen(op.at("a")) == kind.written);
  });
}

std::vector<KindsCase> other_cases() {
  return {
      {"ttl: elements of a list expire one by one",
       [](Op& op) {
         for (std::int64_t number = 1; number <= 3; ++number) {
           op.at("a").list.add(number);
           op.pass(4);
         }
         CHECK(seen(op.at("a")) == SeenKinds{.list = {2, 3}});
         op.at("a").list.add_all({4, 5});
         op.pass(4);
         CHECK(seen(op.at("a")) == SeenKinds{.list = {3, 4, 5}});
         op.pass(4);
         CHECK(seen(op.at("a")) == SeenKinds{.list = {4, 5}});
       },
       Lines{R"("a" list=[{"last_access_ms":1700000000012,"value":4},)"
             R"({"last_access_ms":1700000000012,"value":5}])"},
       {.ttl = kOnWrite}},
      {"ttl: entries of a map expire one by one",
       [](Op& op) {
         op.at("a").map.put(1, "one");
         op.at("a").map.put(2, "two");
         op.pass(5);
         op.at("a").map.put(2, "TWO");
         op.at("a").map.put(3, "three");
         op.pass(5);
         CHECK_FALSE(op.at("a").map.contains(1));
         CHECK(op.at("a").map.get(1) == nullptr);
         CHECK(seen(op.at("a")) == SeenKinds{.map = {{2, "TWO"}, {3, "three"}}});
         op.at("a").map.remove(3);
         op.at("a").map.remove(1);
         CHECK(seen(op.at("a")) == SeenKinds{.map = {{2, "TWO"}}});
         CHECK_FALSE(op.at("a").map.empty());
       },
       Lines{R"("a" map=[[2,{"last_access_ms":1700000000005,"value":"TWO"}]])"},
       {.ttl = kOnWrite}},
      {"ttl: a map of which all has expired is empty",
       [](Op& op) {
         op.at("a").map.put_all({{1, "one"}, {2, "two"}});
         op.pass(10);
         CHECK(op.at("a").map.empty());
         CHECK(op.at("a").map.keys().empty());
       },
       Lines{},
       {.ttl = kOnWrite}},
      {"ttl: a read of one entry leaves the age of the others",
       [](Op& op) {
         op.at("a").map.put_all({{1, "one"}, {2, "two"}});
         op.pass(9);
         CHECK(op.at("a").map.get(1) != nullptr);
         op.pass(9);
         CHECK(seen(op.at("a")) == SeenKinds{.map = {{1, "one"}}});
       },
       {},
       {.ttl = kOnRead}},
      {"ttl: a read of all entries makes all of them young",
       [](Op& op) {
         op.at("a").map.put(1, "one");
         op.pass(5);
         op.at("a").map.put(2, "two");
         op.pass(4);
         std::size_t count = 0;
         for (const auto& entry : op.at("a").map.entries()) count += entry.value.size() / 3;
         CHECK(count == 2);
         op.pass(9);
         CHECK(seen(op.at("a")) == SeenKinds{.map = {{1, "one"}, {2, "two"}}});
       },
       {},
       {.ttl = kOnRead}},
      {"ttl: a list that is read makes the elements young that have not expired",
       [](Op& op) {
         op.at("a").list.add(1);
         op.pass(6);
         op.at("a").list.add(2);
         op.pass(6);
         CHECK(seen(op.at("a")).list == std::vector<std::int64_t>{2});
         op.pass(9);
         CHECK(seen(op.at("a")).list == std::vector<std::int64_t>{2});
       },
       {},
       {.ttl = kOnRead}},
      {"ttl: what has expired does not go into a sum, or a mean",
       [](Op& op) {
         op.at("a").reducing.add(1);
         op.at("a").aggregating.add(100);
         op.pass(10);
         op.at("a").reducing.add(2);
         op.at("a").aggregating.add(4);
         CHECK(seen(op.at("a")) == SeenKinds{.reduced = 2, .mean = 4});
       },
       Lines{R"("a" reducing={"last_access_ms":1700000000010,"value":2})"
             R"( aggregating={"last_access_ms":1700000000010,"value":[1,4]})"},
       {.ttl = kOnWrite}},
      {"ttl: what has expired goes into a sum, and a mean, as long as it is shown",
       [](Op& op) {
         op.at("a").reducing.add(1);
         op.at("a").aggregating.add(100);
         op.pass(10);
         op.at("a").reducing.add(2);
         op.at("a").aggregating.add(4);
         CHECK(seen(op.at("a")) == SeenKinds{.reduced = 3, .mean = 52});
       },
       {},
       {.ttl = kShown}},
      {"ttl: states of one key expire each for itself",
       [](Op& op) {
         op.at("a").value.update("x");
         op.pass(4);
         op.at("a").list.add(1);
         op.pass(4);
         op.at("a").reducing.add(1);
         op.pass(2);
         CHECK(seen(op.at("a")) == SeenKinds{.list = {1}, .reduced = 1});
         op.pass(4);
         CHECK(seen(op.at("a")) == SeenKinds{.reduced = 1});
       },
       {},
       {.ttl = kOnWrite}},
      {"ttl: keys expire each for itself",
       [](Op& op) {
         for (int key = 0; key < 100; ++key) {
           op.at(std::to_string(key)).value.update("x");
           op.pass(1);
         }
         for (int key = 0; key < 100; ++key)
           CHECK((op.at(std::to_string(key)).value.get() != nullptr) == (key > 90));
       },
       {},
       {.ttl = kOnWrite}},
      {"ttl: what is never read again is in no snapshot",
       [](Op& op) {
         for (int key = 0; key < 100; ++key) op.at(std::to_string(key)).value.update("x");
         op.pass(10);
         op.at("100").value.update("y");
       },
       Lines{R"("100" value={"last_access_ms":1700000000010,"value":"y"})"},
       {.ttl = kOnWrite}},
      {"ttl: a clean-up in the background takes nothing that lives",
       [](Op& op) {
         for (int key = 0; key < 60; ++key) {
           op.at(std::to_string(key)).list.add(1);
           op.at(std::to_string(key)).value.update("x");
         }
         op.pass(6);
         for (int key = 0; key < 60; ++key) op.at(std::to_string(key)).list.add(2);
         op.pass(6);
         for (int batch = 0; batch < 60; ++batch) {
           op.at("other").map.put(batch, "other");
           op.begin_batch();
         }
         for (int key = 0; key < 60; ++key)
           CHECK(seen(op.at(std::to_string(key))) == SeenKinds{.list = {2}});
       },
       {},
       {.ttl = {.ttl = 10ms, .cleanup_size = 50}}},
      {"ttl: a batch has one time",
       [](Op& op) {
         op.at("a").value.update("x");
         op.pass(9);
         op.world().clock.milliseconds += 5;  // in the middle of it
         CHECK(seen(op.at("a")) == SeenKinds{.value = "x"});
         op.begin_batch();
         CHECK(seen(op.at("a")) == SeenKinds{});
       },
       Lines{},
       {.ttl = kOnWrite}},
      {"ttl: a clock that is set back brings nothing to an end",
       [](Op& op) {
         op.at("a").value.update("x");
         op.pass(-1000);
         CHECK(seen(op.at("a")) == SeenKinds{.value = "x"});
         op.pass(1009);
         CHECK(seen(op.at("a")) == SeenKinds{.value = "x"});
         op.pass(1);
         CHECK(seen(op.at("a")) == SeenKinds{});
       },
       Lines{},
       {.ttl = kOnWrite}},
      {"ttl: a millisecond is the shortest",
       [](Op& op) {
         op.at("a").value.update("x");
         CHECK(seen(op.at("a")) == SeenKinds{.value = "x"});
         op.pass(1);
         CHECK(seen(op.at("a")) == SeenKinds{});
       },
       Lines{},
       {.ttl = {.ttl = 1ms}}},
      {"ttl: years are a time to live",
       [](Op& op) {
         op.at("a").value.update("x");
         op.pass(std::int64_t{30} * 365 * 24 * 3600 * 1000);
         CHECK(seen(op.at("a")) == SeenKinds{.value = "x"});
       },
       Lines{R"("a" value={"last_access_ms":1700000000000,"value":"x"})"},
       {.ttl = {.ttl = 24h * 365 * 31}}},
      {"ttl: disabled, there is none",
       [](Op& op) {
         op.at("a").value.update("x");
         op.at("a").list.add(1);
         op.pass(1000);
         CHECK(seen(op.at("a")) == SeenKinds{.value = "x", .list = {1}});
       },
       Lines{R"("a" value="x" list=[1])"},
       {.ttl = {.ttl = 10ms, .update_type = UpdateType::disabled}}},
      {"ttl: ages are kept from life to life, on the one backend and on the other",
       [](Op& op) {
         op.at("a").value.update("x");
         op.pass(3);
         op.restart_on_the_other();
         op.pass(3);
         op.restart_on_the_other();
         op.pass(3);
         CHECK(seen(op.at("a")) == SeenKinds{.value = "x"});
         op.restart(2);
         op.pass(1);
         CHECK(seen(op.at("a")) == SeenKinds{});
       },
       Lines{},
       {.ttl = kOnWrite}},
      {"ttl: ages are kept in a chain of checkpoints",
       [](Op& op) {
         for (int key = 0; key < 30; ++key) {
           op.at(std::to_string(key)).value.update("x");
           op.at(std::to_string(key)).list.add(key);
         }
         op.checkpoint();
         op.pass(6);
         for (int key = 0; key < 30; key += 10) op.at(std::to_string(key)).list.add(-key);
         const SubtaskHandles handles = op.checkpoint();
         op.pass(4);
         op.restore(handles);
         for (int key = 0; key < 30; ++key) {
           const SeenKinds left = key % 10 == 0 ? SeenKinds{.list = {-key}} : SeenKinds{};
           CHECK(seen(op.at(std::to_string(key))) == left);
         }
       },
       {},
       {.ttl = kOnWrite}},
      {"ttl: what expires while a snapshot is under way is gone after a restore",
       [](Op& op) {
         for (int key = 0; key < 200; ++key) op.at(std::to_string(key)).value.update("old");
         op.pass(5);
         op.at("new").value.update("new");
         const auto running = op.begin_snapshot();
         op.pass(5);
         for (int key = 0; key < 50; ++key)
           CHECK(op.at(std::to_string(key)).value.get() == nullptr);
         op.restore(op.finish(running));
         for (int key = 0; key < 200; ++key)
           CHECK(op.at(std::to_string(key)).value.get() == nullptr);
         CHECK(seen(op.at("new")) == SeenKinds{.value = "new"});
       },
       {},
       {.ttl = kOnWrite}},
  };
}

}  // namespace

ConformanceCases ttl_cases() {
  std::vector<KindsCase> table = other_cases();
  for (const Kind& kind : kinds()) add_cases_of(kind, table);
  return cases_of(table);
}

}  // namespace streamrun
