#include <cstdint>
#include <string>
#include <vector>

#include "kinds_cases.h"

namespace streamrun {
namespace {

using Op = KindsOperator;

constexpr int kSnapshotKeys = 300;
/// So little that most of it is on the disk.
constexpr OperatorSetting kOnDisk{.memory = std::uint64_t{128} << 10U};

void update_all(Op& op, const std::string& text) {
  for (int key = 0; key < kSnapshotKeys; ++key) {
    if (key % 50 == 0) op.begin_batch();
    EveryKind& states = op.at(std::to_string(key));
    states.value.update(text + std::to_string(key));
    if (key % 3 == 0) states.list.add(key);
    if (key % 7 == 0) states.map.put(key, text);
  }
}
void clear_all_values(Op& op) {
  for (int key = 0; key < kSnapshotKeys; ++key) op.at(std::to_string(key)).value.clear();
}
void check_all_values(Op& op, const std::string& text) {
  for (int key = 0; key < kSnapshotKeys; ++key)
    CHECK(op.at(std::to_string(key)).value.value_or("none") == text + std::to_string(key));
}

bool is_cancelled(const Op::Running& running) {
  for (const auto& result : running.results) {
    if (!*result || **result || (**result).error().code != ErrorCode::cancelled) return false;
  }
  return true;
}

}  // namespace

ConformanceCases snapshot_cases() {
  return cases_of({
      {"snapshots: there may be nothing in one",
       [](Op& op) {
         for (const KeyedStateHandle& handle : op.snapshot()) CHECK(handle.entries == 0);
         op.restart();
         CHECK(seen(op.at("a")) == SeenKinds{});
         op.at("a").value.update("x");
       },
       Lines{R"("a" value="x")"}},
      {"snapshots: an operator that was emptied has nothing in its own",
       [](Op& op) {
         update_all(op, "x");
         clear_all_values(op);
         for (int key = 0; key < kSnapshotKeys; ++key) {
           op.at(std::to_string(key)).list.clear();
           op.at(std::to_string(key)).map.clear();
         }
         for (const KeyedStateHandle& handle : op.snapshot()) CHECK(handle.entries == 0);
       },
       Lines{}, kOnDisk},
      {"snapshots: entries are the keys with state",
       [](Op& op) {
         update_all(op, "x");
         for (int key = 0; key < 100; ++key) op.at("none" + std::to_string(key)).value.clear();
         std::uint64_t entries = 0;
         for (const KeyedStateHandle& handle : op.snapshot()) entries += handle.entries;
         CHECK(entries == kSnapshotKeys);
       },
       {},
       {.parallelism = 3}},
      {"snapshots: one is what there was at its beginning, whatever is changed after",
       [](Op& op) {
         update_all(op, "first");
         const auto running = op.begin_snapshot();
         update_all(op, "second");
         op.at("new").value.update("new");
         const SubtaskHandles handles = op.finish(running);
         check_all_values(op, "second");
         op.restore(handles);
         check_all_values(op, "first");
         CHECK(seen(op.at("new")) == SeenKinds{});
         CHECK(seen(op.at("42")) ==
               SeenKinds{.value = "first42", .list = {42}, .map = {{42, "first"}}});
       },
       {},
       kOnDisk},
      {"snapshots: one has what is cleared after its beginning",
       [](Op& op) {
         update_all(op, "x");
         const auto running = op.begin_snapshot();
         clear_all_values(op);
         const SubtaskHandles handles = op.finish(running);
         CHECK(op.at("1").value.get() == nullptr);
         op.restore(handles);
         check_all_values(op, "x");
       },
       {},
       kOnDisk},
      {"snapshots: one goes on slice by slice between changes",
       [](Op& op) {
         update_all(op, "first");
         const auto running = op.begin_snapshot();
         for (int key = 0; key < kSnapshotKeys; ++key) {
           op.at(std::to_string(key)).value.update("second");
           op.at(std::to_string(kSnapshotKeys - 1 - key)).list.add(-1);
           if (key % 10 == 0) op.begin_batch();
           op.advance();
         }
         op.restore(op.finish(running));
         check_all_values(op, "first");
         CHECK(seen(op.at("3")).list == std::vector<std::int64_t>{3});
         CHECK(seen(op.at("1")).list.empty());
       },
       {},
       kOnDisk},
      {"snapshots: two under way are each what there was at its beginning",
       [](Op& op) {
         update_all(op, "first");
         const auto first = op.begin_snapshot();
         update_all(op, "second");
         op.advance();
         const auto second = op.begin_snapshot();
         clear_all_values(op);
         const SubtaskHandles of_first = op.finish(first);
         const SubtaskHandles of_second = op.finish(second);
         op.restore(of_first);
         check_all_values(op, "first");
         op.restore(of_second);
         check_all_values(op, "second");
       },
       {},
       kOnDisk},
      {"snapshots: two may begin with nothing between them",
       [](Op& op) {
         update_all(op, "x");
         const auto first = op.begin_snapshot();
         const auto second = op.begin_snapshot();
         const Lines rows = dump(op.finish(first), op.world().files);
         CHECK(rows == dump(op.finish(second), op.world().files));
       },
       {},
       kOnDisk},
      {"snapshots: five under way at once",
       [](Op& op) {
         std::vector<Op::Running> running;
         for (int i = 0; i < 5; ++i) {
           op.at("a").value.update(std::to_string(i));
           op.at("a").list.add(i);
           running.push_back(op.begin_snapshot());
         }
         op.at("a").value.clear();
         for (int i = 4; i >= 0; --i) {
           const SubtaskHandles handles = op.finish(running[static_cast<std::size_t>(i)]);
           const Lines rows = rows_of(handles, op.world().files);
           REQUIRE(rows.size() == 1);
           CHECK(rows[0].starts_with(R"("a" value=")" + std::to_string(i) + "\""));
         }
       },
       Lines{R"("a" list=[0,1,2,3,4])"}},
      {"snapshots: an aborted one is cancelled, and state goes on",
       [](Op& op) {
         update_all(op, "x");
         const auto running = op.begin_snapshot();
         op.at("1").value.update("changed");
         op.abort(running.id);
         op.settle();
         CHECK(is_cancelled(running));
         CHECK(seen(op.at("1")) == SeenKinds{.value = "changed"});
         op.restart();
         CHECK(seen(op.at("1")) == SeenKinds{.value = "changed"});
         CHECK(seen(op.at("2")) == SeenKinds{.value = "x2"});
       },
       {},
       kOnDisk},
      {"snapshots: an abort in the middle of one leaves what comes after whole",
       [](Op& op) {
         update_all(op, "x");
         for (int slices = 0; slices < 12; slices += 3) {
           const auto running = op.begin_snapshot();
           for (int slice = 0; slice < slices; ++slice) op.advance();
           op.abort(running.id);
           op.settle();
         }
         op.restart();
         check_all_values(op, "x");
       },
       {},
       kOnDisk},
      {"snapshots: an abort of one leaves the other",
       [](Op& op) {
         update_all(op, "first");
         const auto first = op.begin_snapshot();
         update_all(op, "second");
         const auto second = op.begin_snapshot();
         op.abort(first.id);
         const SubtaskHandles handles = op.finish(second);
         CHECK(is_cancelled(first));
         op.restore(handles);
         check_all_values(op, "second");
       },
       {},
       kOnDisk},
      {"snapshots: an abort of the later one leaves the earlier",
       [](Op& op) {
         update_all(op, "first");
         const auto first = op.begin_snapshot();
         update_all(op, "second");
         const auto second = op.begin_snapshot();
         op.abort(second.id);
         const SubtaskHandles handles = op.finish(first);
         CHECK(is_cancelled(second));
         op.restore(handles);
         check_all_values(op, "first");
       },
       {},
       kOnDisk},
      {"snapshots: an abort of one that nobody began does nothing",
       [](Op& op) {
         op.at("a").value.update("x");
         op.abort(77);
         op.settle();
       },
       Lines{R"("a" value="x")"}},
      {"snapshots: an abort of one that is done does nothing",
       [](Op& op) {
         op.at("a").value.update("x");
         const auto running = op.begin_snapshot();
         const SubtaskHandles handles = op.finish(running);
         op.abort(running.id);
         op.settle();
         op.restore(handles);
         CHECK(seen(op.at("a")) == SeenKinds{.value = "x"});
       },
       Lines{R"("a" value="x")"}},
      {"snapshots: compressed or not, one says the same",
       [](Op& op) {
         update_all(op, std::string(200, 'c'));
         const Lines plain = dump(op.snapshot(false), op.world().files);
         CHECK(dump(op.snapshot(true), op.world().files) == plain);
         op.restore(op.snapshot(true));
         CHECK(dump(op.snapshot(false), op.world().files) == plain);
       },
       {},
       kOnDisk},
      {"snapshots: a full checkpoint says the same as a savepoint",
       [](Op& op) {
         update_all(op, "x");
         const Lines rows = dump(op.snapshot(), op.world().files);
         const auto full = op.begin_snapshot(SharingFilesStrategy::forward);
         op.restore(op.finish(full));
         CHECK(dump(op.snapshot(), op.world().files) == rows);
       },
       {},
       kOnDisk},
      {"checkpoints: a chain of them says what a savepoint does",
       [](Op& op) {
         update_all(op, "x");
         op.checkpoint();
         SubtaskHandles last;
         for (int id = 0; id < 6; ++id) {
           for (int key = id; key < kSnapshotKeys; key += 23) {
             op.at(std::to_string(key)).value.update("round " + std::to_string(id));
             op.at(std::to_string(key)).reducing.add(id);
           }
           last = op.checkpoint();
         }
         const Lines rows = dump(op.snapshot(), op.world().files);
         op.restore(last);
         CHECK(dump(op.snapshot(), op.world().files) == rows);
       },
       {},
       kOnDisk},
      {"checkpoints: a compressed chain says the same",
       [](Op& op) {
         update_all(op, std::string(100, 'z'));
         op.checkpoint(true);
         for (int key = 0; key < 20; ++key) op.at(std::to_string(key)).value.update("changed");
         const SubtaskHandles last = op.checkpoint(true);
         const Lines rows = dump(op.snapshot(), op.world().files);
         op.restore(last);
         CHECK(dump(op.snapshot(), op.world().files) == rows);
       },
       {},
       kOnDisk},
      {"checkpoints: what is removed after one is not in the next",
       [](Op& op) {
         update_all(op, "x");
         op.checkpoint();
         for (int key = 0; key < kSnapshotKeys; key += 20) {
           op.at(std::to_string(key)).value.clear();
           op.at(std::to_string(key)).list.clear();
           op.at(std::to_string(key)).map.clear();
         }
         op.restore(op.checkpoint());
         for (int key = 0; key < kSnapshotKeys; key += 10) {
           CHECK(op.at(std::to_string(key)).value.value_or("none") ==
                 (key % 20 == 0 ? "none" : "x" + std::to_string(key)));
         }
       },
       {},
       kOnDisk},
      {"checkpoints: one of the states that is cleared after one is not in the next",
       [](Op& op) {
         update_all(op, "x");
         op.checkpoint();
         op.at("21").value.clear();
         op.at("42").list.clear();
         op.restore(op.checkpoint());
         CHECK(seen(op.at("21")) == SeenKinds{.list = {21}, .map = {{21, "x"}}});
         CHECK(seen(op.at("42")) == SeenKinds{.value = "x42", .map = {{42, "x"}}});
       },
       {},
       kOnDisk},
      {"checkpoints: what is removed and comes again is there",
       [](Op& op) {
         update_all(op, "x");
         op.checkpoint();
         op.at("1").value.clear();
         op.checkpoint();
         op.at("1").list.add(5);
         op.restore(op.checkpoint());
         CHECK(seen(op.at("1")) == SeenKinds{.list = {5}});
       },
       {},
       kOnDisk},
      {"checkpoints: one with nothing changed says what the one before did",
       [](Op& op) {
         update_all(op, "x");
         op.checkpoint();
         op.restore(op.checkpoint());
         check_all_values(op, "x");
         op.restore(op.checkpoint());
         check_all_values(op, "x");
       },
       {},
       kOnDisk},
      {"checkpoints: one that is aborted is no base for the next",
       [](Op& op) {
         update_all(op, "x");
         op.checkpoint();
         op.at("1").value.update("changed");
         const auto running = op.begin_snapshot(SharingFilesStrategy::forward_backward);
         op.advance();
         op.at("2").value.update("changed too");
         op.abort(running.id);
         op.settle();
         op.restore(op.checkpoint());
         CHECK(seen(op.at("1")) == SeenKinds{.value = "changed"});
         CHECK(seen(op.at("2")) == SeenKinds{.value = "changed too"});
         CHECK(seen(op.at("4")) == SeenKinds{.value = "x4"});
       },
       {},
       kOnDisk},
      {"checkpoints: one that nobody completes is no base for the next",
       [](Op& op) {
         update_all(op, "x");
         op.checkpoint();
         op.at("1").value.update("changed");
         op.finish(op.begin_snapshot(SharingFilesStrategy::forward_backward));
         op.at("2").value.update("changed too");
         op.restore(op.checkpoint());
         CHECK(seen(op.at("1")) == SeenKinds{.value = "changed"});
         CHECK(seen(op.at("2")) == SeenKinds{.value = "changed too"});
         CHECK(seen(op.at("4")) == SeenKinds{.value = "x4"});
       },
       {},
       kOnDisk},
      {"checkpoints: a savepoint between two of them changes nothing",
       [](Op& op) {
         update_all(op, "x");
         op.checkpoint();
         op.at("1").value.update("changed");
         const Lines savepoint = dump(op.snapshot(), op.world().files);
         op.restore(op.checkpoint());
         CHECK(dump(op.snapshot(), op.world().files) == savepoint);
       },
       {},
       kOnDisk},
  });
}

}  // namespace streamrun
