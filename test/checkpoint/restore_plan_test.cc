#include <streamrun/checkpoint/restore_plan.h>

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "samples.h"

namespace streamrun {
namespace {

using test::list_state;
using test::must;
using Elements = std::vector<std::string>;

NewOperator counts_operator(int parallelism = 2) {
  NewOperator op;
  op.id = test::operator_id("counts");
  op.uid = "counts";
  op.name = "Count";
  op.parallelism = parallelism;
  op.stateful = true;
  op.keyed = {{"count", "value", "string", "void", "i64"}};
  return op;
}

NewOperator lines_operator(int parallelism = 1) {
  NewOperator op;
  op.id = test::operator_id("lines");
  op.uid = "lines";
  op.name = "Lines";
  op.parallelism = parallelism;
  op.stateful = true;
  op.lists = {{"offsets", "bytes", Redistribution::split}};
  return op;
}

/// The sample snapshot and the job that wrote it.
struct Case {
  CheckpointMetadata metadata = test::sample_metadata(3);
  std::vector<NewOperator> operators = {counts_operator(), lines_operator()};
  bool allow_non_restored = false;
  std::vector<std::string> drop_state = {};
  std::string job_name = "wordcount";
  std::function<bool(const std::string&, const std::string&)> type_fits = {};

  Result<RestorePlan> decide() const {
    return decide_restore({.snapshot = metadata,
                           .directory = "/ckpt/chk-3",
                           .job_name = job_name,
                           .operators = operators,
                           .allow_non_restored = allow_non_restored,
                           .drop_state = drop_state,
                           .type_fits = type_fits});
  }
  ErrorCode code() const {
    const auto decided = decide();
    return decided ? ErrorCode::bug : decided.error().code;
  }
};

/// The elements of list `name` that each subtask gets.
std::vector<Elements> dealt(const std::vector<OperatorSubtaskState>& subtasks,
                            const std::string& name) {
  std::vector<Elements> all;
  for (const OperatorSubtaskState& subtask : subtasks) {
    Elements elements = {"(none)"};
    for (const OperatorListState& list : subtask.lists) {
      if (list.name == name) elements = list.elements;
    }
    all.push_back(elements);
  }
  return all;
}

/// A snapshot of one operator with these lists in each subtask, restored at another parallelism.
std::vector<OperatorSubtaskState> rescaled(std::vector<std::vector<OperatorListState>> lists,
                                           int parallelism) {
  Case one;
  OperatorSnapshot& snapshot = one.metadata.operators[1];
  snapshot.coordinator_state.clear();
  snapshot.parallelism = static_cast<int>(lists.size());
  snapshot.subtasks.clear();
  NewOperator op = lines_operator(parallelism);
  op.lists.clear();
  for (std::vector<OperatorListState>& of_subtask : lists) {
    for (const OperatorListState& list : of_subtask)
      op.lists.push_back({list.name, list.type, list.redistribution});
    snapshot.subtasks.push_back({.keyed = {}, .lists = std::move(of_subtask)});
  }
  one.operators = {counts_operator(), op};
  return must(one.decide()).operators.at(1).subtasks;
}

TEST_CASE("restore plan: the same job gets its own state back in place", "[checkpoint]") {
  const Case same;
  const RestorePlan plan = must(same.decide());
  REQUIRE(plan.operators.size() == 2);
  CHECK(plan.operators[0].restored);
  CHECK(plan.operators[0].subtasks == same.metadata.operators[0].subtasks);
  CHECK(plan.operators[1].subtasks == same.metadata.operators[1].subtasks);
  CHECK(plan.operators[1].coordinator_state == same.metadata.operators[1].coordinator_state);
  CHECK(plan.warnings.empty());
  CHECK(plan.dropped.empty());
}

TEST_CASE("restore plan: each key group reaches its owner at any parallelism (S3)",
          "[checkpoint]") {
  for (const int max_parallelism : {1, 2, 7, 128}) {
    for (int before = 1; before <= std::min(8, max_parallelism); ++before) {
      for (int after = 1; after <= std::min(8, max_parallelism); ++after) {
        Case one;
        one.metadata.operators[0] = test::keyed_operator("counts", before, max_parallelism);
        one.operators[0].parallelism = after;
        const auto subtasks = must(one.decide()).operators[0].subtasks;
        REQUIRE(subtasks.size() == static_cast<std::size_t>(after));
        for (int group = 0; group < max_parallelism; ++group) {
          const int owner = subtask_of_key_group(group, after, max_parallelism);
          int found = 0;
          for (const KeyedStateHandle& handle : subtasks[static_cast<std::size_t>(owner)].keyed) {
            found += handle.key_groups.contains(group) ? 1 : 0;
          }
          REQUIRE(found == 1);
        }
        for (int i = 0; i < after; ++i) {
          const KeyGroupRange own = key_group_range_of(i, after, max_parallelism);
          for (const KeyedStateHandle& handle : subtasks[static_cast<std::size_t>(i)].keyed) {
            REQUIRE(handle.key_groups.first <= own.last);
            REQUIRE(handle.key_groups.last >= own.first);
          }
        }
      }
    }
  }
}

/// Old subtask i of the operator "counts" with `i` in flight from "lines", restored at another
/// parallelism: for each new subtask those that it reads.
std::vector<std::string> read_by(SubtaskStateMapper mapper, int before, int after,
                                 int max_parallelism = 128) {
  Case one;
  OperatorSnapshot& snapshot = one.metadata.operators[0] =
      test::keyed_operator("counts", before, max_parallelism);
  for (int i = 0; i < before; ++i) {
    StateHandle data{.inline_bytes = std::to_string(i), .file = {}};
    snapshot.subtasks[static_cast<std::size_t>(i)].in_flight.push_back(
        {.upstream = test::operator_id("lines"),
         .mapper = mapper,
         .type = "string",
         .records = 1,
         .data = std::move(data)});
  }
  one.operators[0].parallelism = after;
  one.operators[0].inputs = {{.upstream = test::operator_id("lines"),
                              .is_keyed = mapper == SubtaskStateMapper::range,
                              .type = "string"}};
  std::vector<std::string> all;
  const RestorePlan plan = must(one.decide());
  for (const OperatorSubtaskState& subtask : plan.operators[0].subtasks) {
    std::string& read = all.emplace_back();
    for (const InFlightHandle& handle : subtask.in_flight) read += handle.data.inline_bytes;
  }
  return all;
}

TEST_CASE("restore plan: records in flight go to whoever owns some of them", "[checkpoint]") {
  using Read = std::vector<std::string>;
  constexpr auto kRange = SubtaskStateMapper::range;
  CHECK(read_by(kRange, 4, 4) == Read{"0", "1", "2", "3"});
  CHECK(read_by(kRange, 4, 1) == Read{"0123"});
  CHECK(read_by(kRange, 4, 2) == Read{"01", "23"});
  CHECK(read_by(kRange, 2, 4) == Read{"0", "0", "1", "1"});
  CHECK(read_by(kRange, 2, 3) == Read{"0", "01", "1"});
  CHECK(read_by(kRange, 3, 2) == Read{"01", "12"});
  CHECK(read_by(kRange, 1, 2, 2) == Read{"0", "0"});
}

TEST_CASE("restore plan: records in flight without a key go to new subtasks in turn",
          "[checkpoint]") {
  using Read = std::vector<std::string>;
  constexpr auto kRoundRobin = SubtaskStateMapper::round_robin;
  CHECK(read_by(kRoundRobin, 4, 4) == Read{"0", "1", "2", "3"});
  CHECK(read_by(kRoundRobin, 4, 1) == Read{"0123"});
  CHECK(read_by(kRoundRobin, 4, 2) == Read{"02", "13"});
  CHECK(read_by(kRoundRobin, 2, 4) == Read{"0", "1", "", ""});
}

TEST_CASE("restore plan: records in flight to an operator without state are no state of it",
          "[checkpoint]") {
  Case one;
  OperatorSnapshot map;
  map.id = test::operator_id("map");
  map.name = "Map";
  map.subtasks.resize(1);
  map.subtasks[0].in_flight.push_back({.upstream = test::operator_id("lines"),
                                       .mapper = SubtaskStateMapper::round_robin,
                                       .type = "string",
                                       .records = 3,
                                       .data = {.inline_bytes = "x", .file = {}}});
  one.metadata.operators.push_back(map);
  NewOperator op;
  op.id = map.id;
  op.name = "Map";
  op.inputs = {{.upstream = test::operator_id("lines"), .type = "string"}};
  one.operators.push_back(op);
  CHECK(must(one.decide()).operators[2].subtasks == map.subtasks);

  SECTION("but of one that is gone they are lost only on purpose") {
    one.operators.pop_back();
    CHECK(one.code() == ErrorCode::job_mismatch);
    one.allow_non_restored = true;
    CHECK(must(one.decide()).dropped.size() == 1);
  }
  SECTION("and an edge that changed is refused") {
    struct Row {
      InputDescription input;
      std::string says;
    };
    const OperatorId lines = test::operator_id("lines");
    const Row row = GENERATE_COPY(
        Row{{.upstream = test::operator_id("other"), .type = "string"}, "no longer has the edge"},
        Row{{.upstream = lines, .type = "int64"}, "the job has int64 on the edge"},
        Row{{.upstream = lines, .type = ""}, "unserializable"},
        Row{{.upstream = lines, .is_keyed = true, .type = "string"}, "partitions in another way"},
        Row{{.upstream = lines, .is_broadcast = true, .type = "string"},
            "partitions in another way"});
    one.operators[2].inputs = {row.input};
    const auto decided = one.decide();
    REQUIRE_FALSE(decided);
    CHECK(decided.error().code == ErrorCode::job_mismatch);
    CHECK(decided.error().message.find(row.says) != std::string::npos);
    CHECK(decided.error().message.find("3 records of type string from operator lines (Lines)") !=
          std::string::npos);
  }
}

TEST_CASE("restore plan: file paths become absolute", "[checkpoint]") {
  Case one;
  one.metadata = test::metadata_with_file(3, test::uuid_of(5), "abc");
  const RestorePlan plan = must(one.decide());
  CHECK(plan.operators[0].subtasks[1].keyed[0].pieces.front().file->path ==
        "/ckpt/chk-3/" + test::uuid_of(5));
}

TEST_CASE("restore plan: split lists are dealt in runs, the first ones longer", "[checkpoint]") {
  const auto a = [](Elements elements) {
    return std::vector{list_state("a", Redistribution::split, std::move(elements))};
  };
  CHECK(dealt(rescaled({a({"1", "2", "3"}), a({"4", "5"})}, 3), "a") ==
        std::vector<Elements>{{"1", "2"}, {"3", "4"}, {"5"}});
  CHECK(dealt(rescaled({a({"1", "2", "3"}), a({"4", "5"})}, 1), "a") ==
        std::vector<Elements>{{"1", "2", "3", "4", "5"}});
  CHECK(dealt(rescaled({a({"1"})}, 3), "a") == std::vector<Elements>{{"1"}, {}, {}});
  CHECK(dealt(rescaled({a({"1", "2"}), a({"3"})}, 2), "a") ==
        std::vector<Elements>{{"1", "2"}, {"3"}});
}

TEST_CASE("restore plan: the next split list begins behind the last remainder", "[checkpoint]") {
  const auto subtasks = rescaled({{list_state("a", Redistribution::split, {"1", "2", "3", "4"}),
                                   list_state("b", Redistribution::split, {"5", "6"}),
                                   list_state("c", Redistribution::split, {"7"})}},
                                 3);
  CHECK(dealt(subtasks, "a") == std::vector<Elements>{{"1", "2"}, {"3"}, {"4"}});
  CHECK(dealt(subtasks, "b") == std::vector<Elements>{{}, {"5"}, {"6"}});
  CHECK(dealt(subtasks, "c") == std::vector<Elements>{{"7"}, {}, {}});
}

TEST_CASE("restore plan: union lists go whole to all, broadcast copies go round", "[checkpoint]") {
  const auto lists = [](const std::string& mark) {
    return std::vector{list_state("u", Redistribution::union_all, {"u" + mark}),
                       list_state("b", Redistribution::broadcast, {"b" + mark})};
  };
  const auto more = rescaled({lists("0"), lists("1")}, 3);
  CHECK(dealt(more, "u") == std::vector<Elements>{{"u0", "u1"}, {"u0", "u1"}, {"u0", "u1"}});
  CHECK(dealt(more, "b") == std::vector<Elements>{{"b0"}, {"b1"}, {"b0"}});
  const auto same = rescaled({lists("0"), lists("1")}, 2);
  CHECK(dealt(same, "u") == std::vector<Elements>{{"u0", "u1"}, {"u0", "u1"}});
  CHECK(dealt(same, "b") == std::vector<Elements>{{"b0"}, {"b1"}});
}

TEST_CASE("restore plan: lists by subtask stay whole and in order", "[checkpoint]") {
  const auto list = [](const Elements& elements) {
    return std::vector{list_state("c", Redistribution::by_subtask, elements)};
  };
  const std::vector<std::vector<OperatorListState>> lists = {
      list({"0a", "0b"}), list({"1a"}), {}, list({"3a", "3b", "3c"})};
  CHECK(dealt(rescaled(lists, 2), "c") ==
        std::vector<Elements>{{"0a", "0b"}, {"1a", "3a", "3b", "3c"}});
  const auto more = rescaled(lists, 6);
  CHECK(more[0].lists.front().elements == Elements{"0a", "0b"});
  CHECK(more[3].lists.front().elements == Elements{"3a", "3b", "3c"});
  CHECK(more[2].lists.empty());
  CHECK(more[5].lists.empty());
}

TEST_CASE("restore plan: no element of a split list is lost or doubled at any parallelism",
          "[checkpoint]") {
  for (int before = 1; before <= 5; ++before) {
    for (int after = 1; after <= 7; ++after) {
      std::vector<std::vector<OperatorListState>> lists;
      Elements all;
      for (int i = 0; i < before; ++i) {
        Elements elements;
        for (int j = 0; j < (i * 7 + 1) % 4; ++j)
          elements.push_back(std::to_string(i) + "." + std::to_string(j));
        all.insert(all.end(), elements.begin(), elements.end());
        lists.push_back({list_state("a", Redistribution::split, elements)});
      }
      Elements got;
      for (const Elements& part : dealt(rescaled(lists, after), "a"))
        got.insert(got.end(), part.begin(), part.end());
      REQUIRE(got == all);
    }
  }
}

TEST_CASE("restore plan: a new operator starts empty", "[checkpoint]") {
  Case one;
  NewOperator more = counts_operator(3);
  more.id = test::operator_id("more");
  one.operators.push_back(more);
  const RestorePlan plan = must(one.decide());
  CHECK_FALSE(plan.operators[2].restored);
  CHECK(plan.operators[2].subtasks == std::vector<OperatorSubtaskState>(3));
}

TEST_CASE("restore plan: state without a place is refused with both sides in a table",
          "[checkpoint]") {
  Case one;
  one.operators[0].id = test::operator_id("count-words");
  one.operators[0].uid = "count-words";
  const auto decided = one.decide();
  REQUIRE(!decided);
  const Error& error = decided.error();
  CHECK(error.headline() ==
        "E-JOB-MISMATCH: 1 of 2 operators with state has no place in wordcount (/ckpt/chk-3)");
  CHECK(error.why ==
        "UID     NAME            STATE                SIZE  IN-JOB\n"
        "counts  Name_of_counts  value                36B   no      (job has count-words: same "
        "types, uid "
        "changed?)\n"
        "lines   Lines           coordinator,offsets  4B    yes");
  CHECK(error.tries ==
        std::vector<std::string>{"give Count the uid \"counts\" in the job  # keeps its state",
                                 "streamrun run -s /ckpt/chk-3 --drop-state counts  # loses 36B"});
}

TEST_CASE("restore plan: one line to try drops all state that has no place", "[checkpoint]") {
  Case one;
  one.operators.clear();
  const auto decided = one.decide();
  REQUIRE(!decided);
  CHECK(decided.error().tries ==
        std::vector<std::string>{
            "streamrun run -s /ckpt/chk-3 --drop-state counts --drop-state lines  # loses 40B"});
}

TEST_CASE("restore plan: state without a place is dropped when that is allowed", "[checkpoint]") {
  Case one;
  one.operators.erase(one.operators.begin());
  CHECK(one.code() == ErrorCode::job_mismatch);
  one.allow_non_restored = true;
  CHECK(must(one.decide()).dropped == std::vector<std::string>{"counts"});
  one.allow_non_restored = false;
  one.drop_state = {"counts"};
  CHECK(must(one.decide()).dropped == std::vector<std::string>{"counts"});
  one.drop_state = {to_string(test::operator_id("counts"))};
  CHECK(must(one.decide()).dropped == std::vector<std::string>{"counts"});
}

TEST_CASE("restore plan: dropped state is not restored though it has a place", "[checkpoint]") {
  Case one;
  one.drop_state = {"counts"};
  const RestorePlan plan = must(one.decide());
  CHECK_FALSE(plan.operators[0].restored);
  CHECK(plan.operators[0].subtasks == std::vector<OperatorSubtaskState>(2));
  CHECK(plan.operators[1].restored);
}

TEST_CASE("restore plan: dropping what is not there is a usage error", "[checkpoint]") {
  Case one;
  one.drop_state = {"count"};
  const auto decided = one.decide();
  REQUIRE(!decided);
  CHECK(decided.error().code == ErrorCode::usage);
  CHECK(decided.error().why == "did you mean counts?");
}

TEST_CASE("restore plan: an operator that lost its statefulness has no place for state",
          "[checkpoint]") {
  Case one;
  one.operators[0].stateful = false;
  one.operators[0].keyed.clear();
  const auto decided = one.decide();
  REQUIRE(!decided);
  CHECK(decided.error().code == ErrorCode::job_mismatch);
  CHECK(decided.error().why.find("keeps no state") != std::string::npos);
}

TEST_CASE("restore plan: an operator whose saved state is empty needs no place", "[checkpoint]") {
  Case one;
  OperatorSnapshot empty;
  empty.id = test::operator_id("gone");
  empty.subtasks.resize(1);
  empty.subtasks[0].lists.push_back(list_state("nothing", Redistribution::split, {}));
  one.metadata.operators.push_back(empty);
  CHECK(one.decide().has_value());
}

TEST_CASE("restore plan: a state of another type is refused, also with -n (L2)", "[checkpoint]") {
  const std::vector<StateDescription> changes = {{"count", "map", "string", "void", "i64"},
                                                 {"count", "value", "i64", "void", "i64"},
                                                 {"count", "value", "string", "window", "i64"},
                                                 {"count", "value", "string", "void", "i32"},
                                                 {"other", "value", "string", "void", "i64"}};
  for (const StateDescription& change : changes) {
    Case one;
    one.operators[0].keyed = {change};
    one.allow_non_restored = true;
    CHECK(one.code() == ErrorCode::job_mismatch);
  }
  Case list;
  list.operators[1].lists = {{"offsets", "text", Redistribution::split}};
  CHECK(list.code() == ErrorCode::job_mismatch);
  list.operators[1].lists = {{"offsets", "bytes", Redistribution::broadcast}};
  CHECK(list.code() == ErrorCode::job_mismatch);
  list.operators[1].lists = {};
  CHECK(list.code() == ErrorCode::job_mismatch);
}

TEST_CASE("restore plan: a type that can be read as the new one fits", "[checkpoint]") {
  Case one;
  one.operators[0].keyed = {{"count", "value", "string", "void", "i64-v2"}};
  CHECK(one.code() == ErrorCode::job_mismatch);
  one.type_fits = [](const std::string& old_type, const std::string& new_type) {
    return new_type == old_type + "-v2";
  };
  CHECK(one.decide().has_value());
}

TEST_CASE("restore plan: a state that is new in an operator is no obstacle", "[checkpoint]") {
  Case one;
  one.operators[0].keyed.push_back({"more", "map", "string", "void", "i64"});
  CHECK(one.decide().has_value());
}

TEST_CASE("restore plan: the snapshot's max parallelism is adopted unless one is set",
          "[checkpoint]") {
  Case one;
  one.metadata.operators[0] = test::keyed_operator("counts", 2, 32);
  CHECK(must(one.decide()).operators[0].max_parallelism == 32);
  one.operators[0].max_parallelism_is_explicit = true;
  CHECK(one.code() == ErrorCode::max_parallelism);
  one.operators[0].max_parallelism = 32;
  CHECK(must(one.decide()).operators[0].max_parallelism == 32);
  one.operators[0].parallelism = 33;
  CHECK(one.code() == ErrorCode::max_parallelism);
}

TEST_CASE("restore plan: a chain has one max parallelism", "[checkpoint]") {
  Case one;
  for (NewOperator& op : one.operators) op.vertex = 5;
  CHECK(one.decide().has_value());
  one.metadata.operators[0] = test::keyed_operator("counts", 2, 32);
  CHECK(one.code() == ErrorCode::max_parallelism);

  Case adopted;
  adopted.metadata.operators[0] = test::keyed_operator("counts", 2, 32);
  NewOperator fresh = counts_operator();
  fresh.id = test::operator_id("fresh");
  fresh.vertex = adopted.operators[0].vertex = 7;
  adopted.operators.push_back(fresh);
  CHECK(must(adopted.decide()).operators[2].max_parallelism == 32);
  adopted.operators[2].max_parallelism_is_explicit = true;
  CHECK(adopted.code() == ErrorCode::max_parallelism);
}

TEST_CASE("restore plan: a snapshot of another job is restored with a warning if all fits",
          "[checkpoint]") {
  Case one;
  one.job_name = "wordcount2";
  const RestorePlan plan = must(one.decide());
  REQUIRE(plan.warnings.size() == 1);
  CHECK(plan.warnings[0] == "the snapshot was written by the job wordcount, not wordcount2");
}

TEST_CASE("restore plan: records in flight of no type are refused", "[checkpoint]") {
  Case one;
  OperatorSnapshot map;
  map.id = test::operator_id("map");
  map.name = "Map";
  map.subtasks.resize(1);
  map.subtasks[0].in_flight.push_back({.upstream = test::operator_id("lines"),
                                       .mapper = SubtaskStateMapper::round_robin,
                                       .type = "",
                                       .records = 3,
                                       .data = {.inline_bytes = "x", .file = {}}});
  one.metadata.operators.push_back(map);
  NewOperator op;
  op.id = map.id;
  op.name = "Map";
  op.inputs = {{.upstream = test::operator_id("lines"), .type = ""}};
  one.operators.push_back(op);
  CHECK_FALSE(one.decide());
}

}  // namespace
}  // namespace streamrun
