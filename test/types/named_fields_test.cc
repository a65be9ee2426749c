#include <streamrun/types/type_migration.h>
#include <streamrun/types/type_serializer.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "sample_types.h"

namespace streamrun {
namespace {

/// One struct as it was, and as it became in later versions of a job.
struct AccountV1 {
  std::int64_t cents = 0;
  std::string owner;
  std::vector<Point> path;
  static auto fields() {
    return named_fields(field("cents", &AccountV1::cents), field("owner", &AccountV1::owner),
                        field("path", &AccountV1::path));
  }
  bool operator==(const AccountV1&) const = default;
};
/// One field is gone, two are new, and the order is another.
struct AccountV2 {
  std::string currency;
  std::string owner;
  std::optional<std::int32_t> limit;
  std::int64_t cents = 0;
  static auto fields() {
    return named_fields(field("currency", &AccountV2::currency, "EUR"),
                        field("owner", &AccountV2::owner), field("limit", &AccountV2::limit, 7),
                        field("cents", &AccountV2::cents));
  }
  bool operator==(const AccountV2&) const = default;
};
struct AccountWithOtherType {
  double cents = 0;
  static auto fields() { return named_fields(field("cents", &AccountWithOtherType::cents, 0.0)); }
};
struct AccountWithoutDefault {
  std::int64_t cents = 0;
  bool closed = false;
  static auto fields() {
    return named_fields(field("cents", &AccountWithoutDefault::cents),
                        field("closed", &AccountWithoutDefault::closed));
  }
};

/// Private fields can be named too.
class Counter {
 public:
  static auto fields() {
    return named_fields(field("count", &Counter::count_), field("step", &Counter::step_, 1));
  }
  std::int64_t count_ = 0;
  bool operator==(const Counter&) const = default;

 private:
  std::int32_t step_ = 1;
};
static_assert(NamedStruct<Counter> && PutSerializable<Counter> && PutSerializable<AccountV2>);
static_assert(!NamedStruct<Point> && !NamedStruct<int>);
static_assert(is_field_name("a-b_c.9") && !is_field_name("") && !is_field_name("a b"));

template <typename Old, typename New>
std::optional<TypeMigration> migration() {
  // As a restore sees it: of the old type only the name is left.
  const auto old = TypeDescriptor::parse(TypeSerializer<Old>::type_name());
  REQUIRE(old);
  auto migration = TypeMigration::between(*old, describe<New>());
  CHECK(migration.has_value() ==
        type_fits(TypeSerializer<Old>::type_name(), TypeSerializer<New>::type_name()));
  return migration;
}

constexpr std::int64_t kNow = 1'700'000'000'000;

template <typename New, typename Old>
New migrated(const Old& old) {
  const auto way = migration<Old, New>();
  REQUIRE(way);
  const std::string bytes = to_bytes(old);
  ByteReader in(bytes);
  std::string rewritten;
  ByteWriter out(rewritten);
  way->rewrite(in, out, kNow);
  CHECK(in.done());
  return from_bytes<New>(rewritten).value();
}

template <typename Old, typename New>
void check_refused() {
  CHECK_FALSE(migration<Old, New>());
}

const AccountV1 kOld{.cents = -5, .owner = "Ann", .path = {{1, 2}, {3, 4}}};
const AccountV2 kNew{.currency = "EUR", .owner = "Ann", .limit = 7, .cents = -5};

TEST_CASE("named fields: come back, and their names are recorded", "[types]") {
  CHECK(from_bytes<AccountV1>(to_bytes(kOld)).value() == kOld);
  CHECK(from_bytes<AccountV2>(to_bytes(kNew)).value() == kNew);
  CHECK(TypeSerializer<AccountV1>::type_name() ==
        "record{cents:int64,owner:string,path:list<struct(int32,int32)>}");
  CHECK(TypeSerializer<AccountV2>::type_name() ==
        "record{currency?:string,owner:string,limit?:optional<int32>,cents:int64}");
  CHECK(TypeSerializer<std::vector<Counter>>::type_name() ==
        "list<record{count:int64,step?:int32}>");
  CHECK(to_bytes(kOld) == to_bytes(kOld.cents) + to_bytes(kOld.owner) + to_bytes(kOld.path));
}

TEST_CASE("named fields: are put straight to memory as they are written", "[types]") {
  std::string put(TypeSerializer<AccountV2>::most_bytes(kNew), '?');
  const char* const end = TypeSerializer<AccountV2>::put(put.data(), kNew);
  CHECK(put.substr(0, static_cast<std::size_t>(end - put.data())) == to_bytes(kNew));
}

TEST_CASE("named fields: every cut is an error", "[types]") {
  const std::string bytes = to_bytes(kNew);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const std::vector<char> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
    CHECK_FALSE(from_bytes<AccountV2>({cut.data(), cut.size()}));
  }
}

struct Twice {
  int a = 0;
  int b = 0;
  static auto fields() { return named_fields(field("a", &Twice::a), field("a", &Twice::b)); }
};

TEST_CASE("named fields: one name can't stand for two", "[types]") {
  CHECK_THROWS_AS(describe<Twice>(), ErrorException);
}

TEST_CASE("type migration: new fields get defaults, old ones fall away, the order is free",
          "[types]") {
  CHECK(migrated<AccountV2>(kOld) == kNew);
  CHECK(migrated<AccountV1>(kOld) == kOld);
  check_refused<AccountV2, AccountV1>();  // `path` has no default
}

TEST_CASE("type migration: goes into everything that a struct is nested in", "[types]") {
  using V1 = AccountV1;
  using V2 = AccountV2;
  CHECK(migrated<std::vector<V2>>(std::vector<V1>{kOld, kOld}) == std::vector<V2>{kNew, kNew});
  CHECK(migrated<std::optional<V2>>(std::optional<V1>(kOld)) == kNew);
  CHECK(migrated<std::optional<V2>>(std::optional<V1>()) == std::nullopt);
  CHECK(migrated<std::map<std::string, V2>>(std::map<std::string, V1>{{"a", kOld}, {"b", {}}}) ==
        std::map<std::string, V2>{{"a", kNew},
                                  {"b", {.currency = "EUR", .owner = "", .limit = 7, .cents = 0}}});
  CHECK(migrated<std::pair<V2, bool>>(std::pair<V1, bool>(kOld, true)) == std::pair(kNew, true));
  CHECK(migrated<std::tuple<int, V2>>(std::tuple<int, V1>(3, kOld)) == std::tuple(3, kNew));
}

/// A named struct in a named struct, and in one without names.
template <typename Inner>
struct Outer {
  Inner inner;
  std::int32_t number = 0;
  static auto fields() {
    return named_fields(field("inner", &Outer::inner), field("number", &Outer::number));
  }
  bool operator==(const Outer&) const = default;
};
template <typename Inner>
struct Plain {
  Inner inner;
  std::int32_t number = 0;
  bool operator==(const Plain&) const = default;
};

TEST_CASE("type migration: a field may be such a struct", "[types]") {
  CHECK(migrated<Outer<AccountV2>>(Outer<AccountV1>{kOld, 9}) == Outer<AccountV2>{kNew, 9});
  CHECK(migrated<Plain<AccountV2>>(Plain<AccountV1>{kOld, 9}) == Plain<AccountV2>{kNew, 9});
}

TEST_CASE("type migration: what is not the same otherwise is refused", "[types]") {
  check_refused<AccountV1, AccountWithOtherType>();
  check_refused<AccountV1, AccountWithoutDefault>();
  check_refused<std::vector<AccountV1>, std::vector<AccountWithOtherType>>();
  check_refused<std::map<std::string, AccountV1>, std::map<std::int64_t, AccountV2>>();
  check_refused<std::vector<AccountV1>, std::optional<AccountV2>>();
  check_refused<AccountV1, std::vector<AccountV2>>();
  check_refused<Point, Plain<std::int64_t>>();
  check_refused<Plain<std::int32_t>, std::pair<std::int32_t, std::int32_t>>();
  check_refused<std::pair<int, AccountV1>, std::tuple<int, AccountV2, int>>();
  check_refused<std::int32_t, std::int64_t>();
  check_refused<std::int64_t, AccountV2>();
}

TEST_CASE("type migration: the keys of a map stay as they are", "[types]") {
  CHECK_FALSE(type_fits("map<record{a:int64},int64>", "map<record{a:int64,b?:int64},int64>"));
  CHECK(type_fits("map<record{a:int64},record{a:int64}>",
                  "map<record{a:int64},record{a:int64,b?:int64}>"));
}

TEST_CASE("type migration: a serializer that is not of this engine is never looked into",
          "[types]") {
  CHECK(type_fits("money@2", "money@2"));
  CHECK_FALSE(type_fits("money@1", "money@2"));
  CHECK(type_fits("record{a:money,b:int8}", "record{a:money}"));
  CHECK_FALSE(type_fits("record{a:money,b:int8}", "record{b:int8}"));  // where does it end?
  CHECK_FALSE(type_fits("box<record{a:int8}>", "box<record{a:int8,b?:int8}>"));
  CHECK(type_fits("box<, not a name)", "box<, not a name)"));
  CHECK_FALSE(type_fits("list<box<, not a name)>", "list<int8>"));
}

TEST_CASE("type migration: a time to live may come and go", "[types]") {
  const auto rewritten = [](const std::string& old, const std::string& wanted,
                            const std::string& bytes) {
    const auto way =
        TypeMigration::between(*TypeDescriptor::parse(old), *TypeDescriptor::parse(wanted));
    REQUIRE(way);
    ByteReader in(bytes);
    std::string result;
    ByteWriter out(result);
    way->rewrite(in, out, kNow);
    CHECK(in.done());
    return result;
  };
  const std::string time = to_bytes(kNow);
  const std::string old_time = to_bytes(std::int64_t{5});
  CHECK(rewritten("ttl<int8>", "int8", old_time + "x") == "x");
  CHECK(rewritten("int8", "ttl<int8>", "x") == time + "x");
  CHECK(rewritten("list<int8>", "list<ttl<int8>>", "\2xy") == "\2" + time + "x" + time + "y");
  CHECK(rewritten("map<string,ttl<int8>>", "map<string,int8>", "\1\1k" + old_time + "x") ==
        "\1\1kx");
  CHECK(rewritten("ttl<record{a:int8,b:int8}>", "ttl<record{b:int8,a:int8}>", old_time + "xy") ==
        old_time + "yx");
}

TEST_CASE("type descriptor: a text comes back, anything else is no type name", "[types]") {
  for (const std::string text :
       {"int64", "enum:uint8", "()", "(int8,())", "list<map<string,(bool,struct(int8))>>",
        "record{a:int8,b-1?:list<record{c:string}>}", "money@2", "a type"}) {
    const auto type = TypeDescriptor::parse(text);
    REQUIRE(type);
    CHECK(type->text() == text);
  }
  for (const std::string text :
       {"", "list<", "list<int8", "list<int8)", "int8>", "list<int8>>", "record{int8}",
        "record{:int8}", "record{a?int8}", "(,)", "record{a b:int8}", "(int8,)", "list<int8>x"}) {
    INFO(text);
    CHECK_FALSE(TypeDescriptor::parse(text));
  }
  const std::string deep(1000, '(');
  CHECK_FALSE(TypeDescriptor::parse(deep + std::string(1000, ')')));
}

TEST_CASE("type migration: damaged old bytes are an error, never worse", "[types]") {
  const auto way = migration<std::vector<AccountV1>, std::vector<AccountV2>>();
  const std::string bytes = to_bytes(std::vector<AccountV1>{kOld, kOld});
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const std::vector<char> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
    ByteReader in({cut.data(), cut.size()});
    std::string rewritten;
    ByteWriter out(rewritten);
    way->rewrite(in, out, kNow);
    CHECK(in.failed());
  }
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] =
        static_cast<char>(static_cast<std::uint8_t>(damaged[bit / 8]) ^ 1U << bit % 8);
    ByteReader in(damaged);
    std::string rewritten;
    ByteWriter out(rewritten);
    way->rewrite(in, out, kNow);
    if (in.done()) CHECK(from_bytes<std::vector<AccountV2>>(rewritten));
  }
}

TEST_CASE("type migration: a huge count of nothing ends at once", "[types]") {
  const auto old = TypeDescriptor::parse("list<record{}>");
  REQUIRE(old);
  const auto way = TypeMigration::between(*old, *TypeDescriptor::parse("list<record{a?:int8}>"));
  REQUIRE(way);
  const std::string bytes = "\xff\xff\xff\xff\xff\xff\xff\x7f";
  ByteReader in(bytes);
  std::string rewritten;
  ByteWriter out(rewritten);
  way->rewrite(in, out, kNow);
  CHECK(in.failed());
}

}  // namespace
}  // namespace streamrun
