#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "kinds_cases.h"

namespace streamrun {
namespace {

using Op = KindsOperator;
using Entries = std::map<std::int32_t, std::string>;

Entries map_at(Op& op, const std::string& key) {
  return seen(op.at(key)).map;
}

}  // namespace

ConformanceCases map_cases() {
  return cases_of({
      {"map state: a key without entries has an empty map",
       [](Op& op) {
         CHECK(op.at("a").map.empty());
         CHECK(op.at("a").map.get(1) == nullptr);
         CHECK_FALSE(op.at("a").map.contains(1));
         CHECK(op.at("a").map.entries().empty());
       },
       Lines{}},
      {"map state: what is put is got",
       [](Op& op) {
         op.at("a").map.put(1, "one");
         CHECK(*op.at("a").map.get(1) == "one");
         CHECK(op.at("a").map.contains(1));
         CHECK_FALSE(op.at("a").map.empty());
         CHECK(seen(op.at("a")) == SeenKinds{.map = {{1, "one"}}});
       },
       Lines{R"("a" map=[[1,"one"]])"}},
      {"map state: a put replaces the value of its entry only",
       [](Op& op) {
         op.at("a").map.put(1, "one");
         op.at("a").map.put(2, "two");
         op.at("a").map.put(1, "ONE");
         CHECK(map_at(op, "a") == Entries{{1, "ONE"}, {2, "two"}});
       },
       Lines{R"("a" map=[[1,"ONE"],[2,"two"]])"}},
      {"map state: an entry that is not there is null",
       [](Op& op) {
         op.at("a").map.put(1, "one");
         CHECK(op.at("a").map.get(2) == nullptr);
         CHECK_FALSE(op.at("a").map.contains(2));
         CHECK(map_at(op, "a") == Entries{{1, "one"}});
       },
       Lines{R"("a" map=[[1,"one"]])"}},
      {"map state: an entry may be empty",
       [](Op& op) {
         op.at("a").map.put(1, "");
         CHECK(*op.at("a").map.get(1) == "");
         CHECK(op.at("a").map.contains(1));
         CHECK_FALSE(op.at("a").map.empty());
       },
       Lines{R"("a" map=[[1,""]])"}},
      {"map state: a removed entry is gone, others stay",
       [](Op& op) {
         op.at("a").map.put_all({{1, "one"}, {2, "two"}, {3, "three"}});
         op.at("a").map.remove(2);
         CHECK(map_at(op, "a") == Entries{{1, "one"}, {3, "three"}});
         CHECK_FALSE(op.at("a").map.contains(2));
       },
       Lines{R"("a" map=[[1,"one"],[3,"three"]])"}},
      {"map state: removing what is not there changes nothing",
       [](Op& op) {
         op.at("a").map.put(1, "one");
         op.at("a").map.remove(2);
         CHECK(map_at(op, "a") == Entries{{1, "one"}});
       },
       Lines{R"("a" map=[[1,"one"]])"}},
      {"map state: removing from an empty map leaves no state",
       [](Op& op) {
         op.at("a").map.remove(2);
         CHECK(op.at("a").map.empty());
       },
       Lines{}},
      {"map state: removing the last entry leaves no state",
       [](Op& op) {
         op.at("a").map.put(1, "one");
         op.at("a").map.put(2, "two");
         op.at("a").map.remove(1);
         op.at("a").map.remove(2);
         CHECK(op.at("a").map.empty());
         CHECK(map_at(op, "a").empty());
       },
       Lines{}},
      {"map state: a removed entry may be put again",
       [](Op& op) {
         op.at("a").map.put(1, "one");
         op.at("a").map.remove(1);
         op.at("a").map.put(1, "again");
         CHECK(map_at(op, "a") == Entries{{1, "again"}});
       },
       Lines{R"("a" map=[[1,"again"]])"}},
      {"map state: a clear leaves nothing",
       [](Op& op) {
         op.at("a").map.put_all({{1, "one"}, {2, "two"}});
         op.at("a").map.clear();
         CHECK(op.at("a").map.empty());
         CHECK(op.at("a").map.get(1) == nullptr);
         op.at("a").map.clear();
       },
       Lines{}},
      {"map state: a cleared map may be filled again",
       [](Op& op) {
         op.at("a").map.put(1, "one");
         op.at("a").map.clear();
         op.at("a").map.put(2, "two");
         CHECK(map_at(op, "a") == Entries{{2, "two"}});
       },
       Lines{R"("a" map=[[2,"two"]])"}},
      {"map state: several are put at once, over what is there",
       [](Op& op) {
         op.at("a").map.put(2, "two");
         op.at("a").map.put_all({{1, "one"}, {2, "TWO"}});
         op.at("a").map.put_all(Entries{{3, "three"}});
         CHECK(map_at(op, "a") == Entries{{1, "one"}, {2, "TWO"}, {3, "three"}});
       },
       Lines{R"("a" map=[[1,"one"],[2,"TWO"],[3,"three"]])"}},
      {"map state: none put leaves no state",
       [](Op& op) {
         op.at("a").map.put_all(Entries());
         CHECK(op.at("a").map.empty());
       },
       Lines{}},
      {"map state: entries, keys and values come in the order of the keys",
       [](Op& op) {
         using Limits = std::numeric_limits<std::int32_t>;
         for (const std::int32_t key : {5, -1, Limits::max(), 0, Limits::min()})
           op.at("a").map.put(key, std::to_string(key));
         std::vector<std::int32_t> keys;
         for (const std::int32_t key : op.at("a").map.keys()) keys.push_back(key);
         CHECK(keys == std::vector<std::int32_t>{Limits::min(), -1, 0, 5, Limits::max()});
         std::vector<std::string> values;
         for (const std::string& value : op.at("a").map.values()) values.push_back(value);
         CHECK(values == std::vector<std::string>{"-2147483648", "-1", "0", "5", "2147483647"});
       },
       Lines{R"("a" map=[[-2147483648,"-2147483648"],[-1,"-1"],[0,"0"],[5,"5"],)"
             R"([2147483647,"2147483647"]])"}},
      {"map state: each key has its own",
       [](Op& op) {
         op.at("a").map.put(1, "a");
         op.at("b").map.put(1, "b");
         op.at("c").map.put(2, "c");
         op.at("c").map.remove(1);
         op.at("a").map.clear();
         CHECK(map_at(op, "a").empty());
         CHECK(map_at(op, "b") == Entries{{1, "b"}});
         CHECK(map_at(op, "c") == Entries{{2, "c"}});
       },
       Lines{R"("b" map=[[1,"b"]])", R"("c" map=[[2,"c"]])"}},
      {"map state: a map may be large",
       [](Op& op) {
         Entries entries;
         for (std::int32_t key = -2000; key < 2000; ++key)
           entries[key] = std::string(static_cast<std::size_t>(key + 2000) % 50, 'v');
         op.at("a").map.put_all(entries);
         op.at("a").map.remove(7);
         entries.erase(7);
         CHECK((map_at(op, "a") == entries));
         op.restart();
         CHECK((map_at(op, "a") == entries));
         CHECK(op.at("a").map.contains(8));
       }},
      {"map state: a restored map goes on",
       [](Op& op) {
         op.at("a").map.put_all({{1, "one"}, {2, "two"}});
         op.restart();
         op.at("a").map.remove(1);
         op.at("a").map.put(3, "three");
         op.restart();
         op.at("a").map.put(2, "TWO");
         CHECK(map_at(op, "a") == Entries{{2, "TWO"}, {3, "three"}});
       },
       Lines{R"("a" map=[[2,"TWO"],[3,"three"]])"}},
  });
}

}  // namespace streamrun
