#include <cstdint>
#include <string>
#include <vector>

#include "kinds_cases.h"

namespace streamrun {
namespace {

using Op = KindsOperator;

constexpr int kRestoreKeys = 200;

std::string restore_key(int number) {
  // On both sides of what fits into a row.
  return std::string(static_cast<std::size_t>(number % 30), 'k') + std::to_string(number);
}
/// Each key has another choice of states.
void fill_some(EveryKind& states, int number) {
  if (number % 2 == 0) states.value.update(std::string(static_cast<std::size_t>(number), 'v'));
  if (number % 3 == 0) states.list.add_all({number, -number});
  if (number % 5 == 0) states.map.put_all({{number, "a"}, {-1, "b"}});
  if (number % 7 == 0) states.reducing.add(number);
  if (number % 11 != 1) states.aggregating.add(number);
}
SeenKinds filled_some(int number) {
  SeenKinds all;
  if (number % 2 == 0) all.value = std::string(static_cast<std::size_t>(number), 'v');
  if (number % 3 == 0) all.list = {number, -number};
  if (number % 5 == 0) all.map = {{number, "a"}, {-1, "b"}};
  if (number % 7 == 0) all.reduced = number;
  if (number % 11 != 1) all.mean = number;
  return all;
}
void fill(Op& op) {
  for (int number = 0; number < kRestoreKeys; ++number) {
    if (number % 40 == 0) op.begin_batch();
    fill_some(op.at(restore_key(number)), number);
  }
}
void check(Op& op) {
  for (int number = 0; number < kRestoreKeys; ++number)
    CHECK(seen(op.at(restore_key(number))) == filled_some(number));
}

/// From one parallelism to the next, on one backend or to and fro.
KindsCase rescaled(const std::string& name, int max_parallelism, std::vector<int> parallelisms,
                   bool to_and_fro) {
  return {"restores: " + name,
          [parallelisms = std::move(parallelisms), to_and_fro](Op& op) {
            fill(op);
            for (const int parallelism : parallelisms) {
              if (to_and_fro) op.restart_on_the_other();
              op.restart(parallelism);
              check(op);
            }
          },
          {},
          {.max_parallelism = max_parallelism}};
}

}  // namespace

ConformanceCases restore_cases() {
  return cases_of({
      {"restores: all is there as it was",
       [](Op& op) {
         fill(op);
         op.restart();
         check(op);
       }},
      {"restores: from the one backend to the other and back",
       [](Op& op) {
         fill(op);
         op.restart_on_the_other();
         check(op);
         op.restart_on_the_other();
         check(op);
       }},
      {"restores: from the one backend to the other and back, with changes between",
       [](Op& op) {
         fill(op);
         op.restart_on_the_other();
         op.at("a").list.add(1);
         op.at(restore_key(0)).value.clear();
         op.at(restore_key(9)).list.add(1);
         op.restart_on_the_other();
         op.at("a").list.add(2);
         op.at(restore_key(9)).list.add(2);
         op.restart_on_the_other();
         CHECK(seen(op.at("a")) == SeenKinds{.list = {1, 2}});
         CHECK(op.at(restore_key(0)).value.get() == nullptr);
         CHECK(seen(op.at(restore_key(9))).list == std::vector<std::int64_t>{9, -9, 1, 2});
       }},
      rescaled("at a parallelism of 1, then 3, then 2", 8, {3, 2}, false),
      rescaled("at a parallelism of 1, then 3, then 2, from backend to backend", 8, {3, 2}, true),
      rescaled("at a parallelism of 1, then 5, then 4, over 13 key groups", 13, {5, 4}, true),
      rescaled("with a subtask a key group", 4, {4, 1}, true),
      rescaled("with one key group", 1, {1}, true),
      rescaled("with many key groups", 32768, {3}, true),
      {"restores: what is changed in each life adds up",
       [](Op& op) {
         fill(op);
         for (int life = 0; life < 6; ++life) {
           op.at(restore_key(life)).value.update("life");
           op.at("sum").reducing.add(life);
           op.at("all").list.add(life);
           op.restart(1 + life % 3);
         }
         CHECK(seen(op.at("sum")) == SeenKinds{.reduced = 15});
         CHECK(seen(op.at("all")) == SeenKinds{.list = {0, 1, 2, 3, 4, 5}});
         CHECK(*op.at(restore_key(5)).value.get() == "life");
       }},
      {"restores: a snapshot may be restored twice",
       [](Op& op) {
         fill(op);
         const SubtaskHandles handles = op.snapshot();
         op.restore(handles);
         for (int number = 0; number < kRestoreKeys; ++number)
           op.at(restore_key(number)).value.clear();
         op.restore(handles);
         check(op);
       }},
      {"restores: without any state a life begins anew",
       [](Op& op) {
         fill(op);
         op.restore({});
         CHECK(seen(op.at(restore_key(10))) == SeenKinds{});
         op.at("a").value.update("x");
       },
       Lines{R"("a" value="x")"}},
      {"restores: a chain of checkpoints at another parallelism",
       [](Op& op) {
         fill(op);
         op.checkpoint();
         op.at(restore_key(10)).value.update("changed");
         op.at(restore_key(12)).value.clear();
         op.restore(op.checkpoint());
         op.restart(3);
         CHECK(*op.at(restore_key(10)).value.get() == "changed");
         CHECK(op.at(restore_key(12)).value.get() == nullptr);
         op.at(restore_key(10)).value.update(std::string(10, 'v'));
         op.at(restore_key(12)).value.update(std::string(12, 'v'));
         check(op);
       },
       {},
       {.parallelism = 2}},
      {"restores: the first checkpoint after one has all",
       [](Op& op) {
         fill(op);
         op.restore(op.checkpoint());
         op.at("a").value.update("x");
         op.restore(op.checkpoint());
         check(op);
         CHECK(seen(op.at("a")) == SeenKinds{.value = "x"});
       },
       {},
       {.parallelism = 2}},
      {"restores: into databases with little memory",
       [](Op& op) {
         fill(op);
         op.restart(3);
         op.restart_on_the_other();
         check(op);
         op.restart_on_the_other();
         check(op);
       },
       {},
       {.memory = std::uint64_t{128} << 10U}},
      {"restores: rows that are read, not changed, stay as they were",
       [](Op& op) {
         fill(op);
         op.restart();
         for (int round = 0; round < 3; ++round) {
           op.begin_batch();
           check(op);
           op.forget_rows();
         }
       }},
  });
}

}  // namespace streamrun
