#include <cstdint>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "kinds_cases.h"

namespace streamrun {
namespace {

using Op = KindsOperator;
using Numbers = std::vector<std::int64_t>;

Numbers list_at(Op& op, const std::string& key) {
  return seen(op.at(key)).list;
}

}  // namespace

ConformanceCases list_cases() {
  return cases_of({
      {"list state: a key without elements has none",
       [](Op& op) {
         CHECK(op.at("a").list.get().empty());
         CHECK(list_at(op, "a").empty());
       },
       Lines{}},
      {"list state: elements are in the order in which they were added",
       [](Op& op) {
         for (const std::int64_t number : {3, 1, 2}) op.at("a").list.add(number);
         CHECK(seen(op.at("a")) == SeenKinds{.list = {3, 1, 2}});
       },
       Lines{R"("a" list=[3,1,2])"}},
      {"list state: an element may be there twice",
       [](Op& op) {
         for (int i = 0; i < 3; ++i) op.at("a").list.add(7);
         CHECK(list_at(op, "a") == Numbers{7, 7, 7});
       },
       Lines{R"("a" list=[7,7,7])"}},
      {"list state: several are added behind what is there",
       [](Op& op) {
         op.at("a").list.add(1);
         op.at("a").list.add_all({2, 3});
         op.at("a").list.add_all(Numbers{4});
         CHECK(list_at(op, "a") == Numbers{1, 2, 3, 4});
       },
       Lines{R"("a" list=[1,2,3,4])"}},
      {"list state: several are added where nothing is",
       [](Op& op) {
         op.at("a").list.add_all({2, 3});
         CHECK(list_at(op, "a") == Numbers{2, 3});
       },
       Lines{R"("a" list=[2,3])"}},
      {"list state: none added to none leaves no state",
       [](Op& op) {
         op.at("a").list.add_all(Numbers());
         CHECK(op.at("a").list.get().empty());
       },
       Lines{}},
      {"list state: none added changes nothing",
       [](Op& op) {
         op.at("a").list.add(1);
         op.at("a").list.add_all(Numbers());
         CHECK(list_at(op, "a") == Numbers{1});
       },
       Lines{R"("a" list=[1])"}},
      {"list state: an update replaces the list",
       [](Op& op) {
         op.at("a").list.add_all({1, 2, 3});
         op.at("a").list.update({9, 8});
         CHECK(list_at(op, "a") == Numbers{9, 8});
         op.at("a").list.update({5, 6, 7, 8});
         CHECK(list_at(op, "a") == Numbers{5, 6, 7, 8});
       },
       Lines{R"("a" list=[5,6,7,8])"}},
      {"list state: an update sets a list where none is",
       [](Op& op) {
         op.at("a").list.update({9});
         CHECK(list_at(op, "a") == Numbers{9});
       },
       Lines{R"("a" list=[9])"}},
      {"list state: an update with none clears",
       [](Op& op) {
         op.at("a").list.add_all({1, 2, 3});
         op.at("a").list.update(Numbers());
         CHECK(op.at("a").list.get().empty());
       },
       Lines{}},
      {"list state: an update with none of a key without a list leaves no state",
       [](Op& op) {
         op.at("a").list.update(Numbers());
         CHECK(op.at("a").list.get().empty());
       },
       Lines{}},
      {"list state: an update takes any range",
       [](Op& op) {
         op.at("a").list.update(std::set<int>{3, 1, 2});
         CHECK(list_at(op, "a") == Numbers{1, 2, 3});
       },
       Lines{R"("a" list=[1,2,3])"}},
      {"list state: a clear leaves nothing, and it may be filled again",
       [](Op& op) {
         op.at("a").list.add_all({1, 2});
         op.at("a").list.clear();
         CHECK(op.at("a").list.get().empty());
         op.at("a").list.clear();
         op.at("a").list.add(3);
         CHECK(list_at(op, "a") == Numbers{3});
       },
       Lines{R"("a" list=[3])"}},
      {"list state: each key has its own",
       [](Op& op) {
         op.at("a").list.add(1);
         op.at("b").list.add(2);
         op.at("a").list.add(3);
         op.at("c").list.add(4);
         op.at("c").list.clear();
         CHECK(list_at(op, "a") == Numbers{1, 3});
         CHECK(list_at(op, "b") == Numbers{2});
         CHECK(list_at(op, "c").empty());
       },
       Lines{R"("a" list=[1,3])", R"("b" list=[2])"}},
      {"list state: the extreme numbers are elements",
       [](Op& op) {
         using Limits = std::numeric_limits<std::int64_t>;
         op.at("a").list.add_all({Limits::min(), -1, 0, Limits::max()});
         CHECK(list_at(op, "a") == Numbers{Limits::min(), -1, 0, Limits::max()});
       },
       Lines{R"("a" list=[-9223372036854775808,-1,0,9223372036854775807])"}},
      {"list state: a list may be long",
       [](Op& op) {
         Numbers numbers(20000);
         std::iota(numbers.begin(), numbers.end(), -5000);
         op.at("a").list.update(numbers);
         CHECK((list_at(op, "a") == numbers));
         op.at("a").list.add(1);
         numbers.push_back(1);
         op.restart();
         CHECK((list_at(op, "a") == numbers));
       }},
      {"list state: a list may grow an element at a time",
       [](Op& op) {
         Numbers numbers;
         for (std::int64_t number = 0; number < 300; ++number) {
           if (number % 50 == 0) op.begin_batch();
           op.at(number % 2 == 0 ? "even" : "odd").list.add(number);
           if (number % 2 == 0) numbers.push_back(number);
         }
         CHECK(list_at(op, "even") == numbers);
       }},
      {"list state: a restored list goes on",
       [](Op& op) {
         op.at("a").list.add(1);
         op.restart();
         op.at("a").list.add(2);
         op.restart();
         op.at("a").list.add(3);
         CHECK(list_at(op, "a") == Numbers{1, 2, 3});
       },
       Lines{R"("a" list=[1,2,3])"}},
  });
}

}  // namespace streamrun
