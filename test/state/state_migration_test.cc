#include <streamrun/state/keyed_state.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "saved_state.h"

namespace streamrun {
namespace {

/// What a job kept in its first version, and what it keeps in its second.
struct VisitV1 {
  std::int64_t count = 0;
  std::string page;
  static auto fields() {
    return named_fields(field("count", &VisitV1::count), field("page", &VisitV1::page));
  }
};
struct VisitV2 {
  std::int64_t since = 0;
  std::int64_t count = 0;
  static auto fields() {
    return named_fields(field("since", &VisitV2::since, -1), field("count", &VisitV2::count));
  }
  bool operator==(const VisitV2&) const = default;
};
/// Neither of them fits it.
struct VisitOfOtherType {
  std::int32_t count = 0;
  static auto fields() { return named_fields(field("count", &VisitOfOtherType::count, 0)); }
};
struct Unnamed {
  std::int64_t count = 0;
};
struct OtherUnnamed {
  std::int64_t count = 0;
  bool flag = false;
};

template <typename Visit>
Visit later(Visit, Visit next) {
  return next;
}

/// Such a value in a state of every kind.
template <typename Visit>
struct Kinds {
  Kinds() { bind_states(*this, table, "string"); }
  auto states() { return std::tie(value, list, map, reducing); }
  /// The table refers to the key until the next one.
  void set(std::string next) {
    key = std::move(next);
    table.set_current(key, key_hash_of<std::string>(key));
  }

  std::string key;
  KeyedTable<std::string> table{128, {0, 127}};
  ValueState<Visit> value{"value"};
  ListState<Visit> list{"list"};
  MapState<std::int32_t, Visit> map{"map"};
  ReducingState<Visit> reducing{"reducing", later<Visit>};
};

std::string key_of(std::int64_t i) {
  return "a key longer than a slot " + std::to_string(i);
}

void fill(Kinds<VisitV1>& kinds) {
  for (std::int64_t i = 0; i < 500; ++i) {
    kinds.set(key_of(i));
    const VisitV1 visit{.count = i, .page = std::string(static_cast<std::size_t>(i % 40), 'p')};
    if (i % 2 == 0) kinds.value.update(visit);
    if (i % 3 == 0) kinds.list.update({visit, visit});
    if (i % 5 == 0) kinds.map.put(7, visit);
    kinds.reducing.add(visit);
  }
}

TEST_CASE("state migration: named fields come and go in every kind of state", "[state]") {
  Kinds<VisitV1> before;
  fill(before);
  Kinds<VisitV2> after;
  REQUIRE(restore_saved(after.table, saved(before.table)));
  CHECK(after.table.size() == 500);
  for (std::int64_t i = 0; i < 500; ++i) {
    after.set(key_of(i));
    const VisitV2 visit{.since = -1, .count = i};
    CHECK(*after.reducing.get() == visit);
    CHECK((after.value.get() != nullptr) == (i % 2 == 0));
    CHECK(after.value.value_or(visit) == visit);
    std::vector<VisitV2> list;
    for (const VisitV2& each : after.list.get()) list.push_back(each);
    CHECK(list == (i % 3 == 0 ? std::vector<VisitV2>{visit, visit} : std::vector<VisitV2>{}));
    CHECK(after.map.empty() == (i % 5 != 0));
    if (i % 5 == 0) CHECK(*after.map.get(7) == visit);
  }
}

TEST_CASE("state migration: what was migrated is saved as the job's own", "[state]") {
  Kinds<VisitV1> before;
  fill(before);
  Kinds<VisitV2> after;
  REQUIRE(restore_saved(after.table, saved(before.table)));
  const KeyedStateHandle again = saved(after.table);
  CHECK(again.states[0].value_type == "record{since?:int64,count:int64}");
  Kinds<VisitV2> last;
  REQUIRE(restore_saved(last.table, again));
  last.set(key_of(8));
  CHECK(*last.value.get() == VisitV2{.since = -1, .count = 8});
  // A later restore of the table's own type is not migrated.
  Kinds<VisitV2> mixed;
  KeyedStateHandle none = saved(before.table);
  Kinds<VisitV2> empty;
  none.pieces = saved(empty.table).pieces;
  REQUIRE(restore_saved(mixed.table, none));
  REQUIRE(restore_saved(mixed.table, again));
  mixed.set(key_of(8));
  CHECK(*mixed.value.get() == VisitV2{.since = -1, .count = 8});
}

template <typename Old, typename New>
Error refusal() {
  KeyedTable<std::string> before(128, {0, 127});
  ValueState<Old> old_state{"visits"};
  old_state.bind(before, "string");
  KeyedTable<std::string> after(128, {0, 127});
  ValueState<New> new_state{"visits"};
  new_state.bind(after, "string");
  const Result<void> restored = restore_saved(after, saved(before));
  REQUIRE_FALSE(restored);
  return restored.error();
}

TEST_CASE("state migration: anything else is refused, and both sides are shown", "[state]") {
  const Error error = refusal<VisitV1, VisitOfOtherType>();
  CHECK(error.code == ErrorCode::job_mismatch);
  CHECK(error.why ==
        "snapshot: value \"visits\" of string -> record{count:int64,page:string}; "
        "job: value \"visits\" of string -> record{count?:int32}");
  CHECK(refusal<VisitV2, VisitV1>().code == ErrorCode::job_mismatch);
  CHECK(refusal<Unnamed, OtherUnnamed>().code == ErrorCode::job_mismatch);
  CHECK(refusal<Unnamed, VisitV2>().code == ErrorCode::job_mismatch);
  CHECK(refusal<std::int64_t, std::string>().code == ErrorCode::job_mismatch);
}

TEST_CASE("state migration: damaged old rows are E-STATE-CORRUPT", "[state]") {
  KeyedTable<std::string> before(1, {0, 0});
  ValueState<VisitV1> old_state{"visits"};
  old_state.bind(before, "string");
  before.set_current("k", key_hash_of<std::string>("k"));
  old_state.update({.count = 5, .page = "page"});
  const KeyedStateHandle good = saved(before);
  std::string row;
  ByteWriter out(row);
  out.varint(1);
  out.text("k");
  TypeSerializer<VisitV1>::write(out, *old_state.get());
  for (std::size_t length = 0; length <= row.size(); ++length) {
    KeyedTable<std::string> after(1, {0, 0});
    ValueState<VisitV2> new_state{"visits"};
    new_state.bind(after, "string");
    StateFileBuilder builder;
    KeyedStateHandle cut = good;
    cut.pieces.front().inline_bytes = builder.block(0, 1, row.substr(0, length));
    cut.pieces.front().inline_bytes += builder.end();
    const Result<void> restored = restore_saved(after, cut);
    CHECK(restored.has_value() == (length == row.size()));
    if (!restored) CHECK(restored.error().code == ErrorCode::state_corrupt);
  }
}

}  // namespace
}  // namespace streamrun
