#include <streamrun/formats/json_decoder.h>

#include <cmath>
#include <limits>
#include <optional>

#include <catch2/catch.hpp>

namespace streamrun::test {
namespace {

struct Place {
  double latitude = 0;
  std::optional<std::string> name;
  static auto fields() {
    return named_fields(field("latitude", &Place::latitude), field("name", &Place::name));
  }
};

struct Order {
  std::string key;
  std::int64_t amount = 0;
  std::uint8_t small = 0;
  std::uint64_t large = 0;
  bool paid = false;
  std::optional<std::int32_t> discount;
  Place from;
  std::optional<Place> to;
  static auto fields() {
    return named_fields(field("key", &Order::key), field("amount", &Order::amount),
                        field("small", &Order::small, std::uint8_t{7}),
                        field("large", &Order::large, std::uint64_t{0}),
                        field("paid", &Order::paid, true), field("discount", &Order::discount),
                        field("from", &Order::from, Place{.latitude = 1, .name = {}}),
                        field("to", &Order::to));
  }
};

struct Decoded {
  Order order;
  std::string error;
};
Decoded decode(std::string_view text) {
  JsonDecoder<Order> decoder;
  Decoded decoded;
  const Result<void> done = decoder.decode(text, decoded.order);
  if (!done) {
    CHECK(done.error().code == ErrorCode::job_failed);
    CHECK(done.error().retry == Retry::no);
    decoded.error =
        done.error().message + (done.error().why.empty() ? "" : ": ") + done.error().why;
  }
  return decoded;
}

TEST_CASE("json: fields are found by name, in any order", "[formats]") {
  const Decoded one =
      decode(R"({"key":"a","amount":-5,"small":255,"large":18446744073709551615,"paid":false,)"
             R"("discount":3,"from":{"latitude":47.5,"name":"Z\u00fcrich"},"to":{"latitude":-1}})");
  CHECK(one.error.empty());
  CHECK(one.order.key == "a");
  CHECK(one.order.amount == -5);
  CHECK(one.order.small == 255);
  CHECK(one.order.large == std::numeric_limits<std::uint64_t>::max());
  CHECK_FALSE(one.order.paid);
  CHECK(one.order.discount == 3);
  CHECK(one.order.from.latitude == 47.5);
  CHECK(one.order.from.name == "Z\xc3\xbcrich");
  REQUIRE(one.order.to);
  CHECK(one.order.to->latitude == -1);
  const Decoded other =
      decode(R"( { "amount" : 1 , "unknown" : [1, {"key": "no"}], "key" : "b" } )");
  CHECK(other.error.empty());
  CHECK(other.order.key == "b");
  CHECK(other.order.amount == 1);
}

TEST_CASE("json: what may be missing has its default, whatever came before", "[formats]") {
  JsonDecoder<Order> decoder;
  Order order;
  REQUIRE(decoder.decode(R"({"key":"a","amount":1,"small":1,"paid":false,"discount":2,)"
                         R"("to":{"latitude":2,"name":"n"}})",
                         order));
  REQUIRE(decoder.decode(R"({"key":"b","amount":2})", order));
  CHECK(order.key == "b");
  CHECK(order.small == 7);
  CHECK(order.paid);
  CHECK(!order.discount);
  CHECK(order.from.latitude == 1);
  CHECK(!order.to);
  REQUIRE(decoder.decode(R"({"key":"b","amount":2,"discount":null,"to":null})", order));
  CHECK(!order.discount);
  CHECK(!order.to);
  CHECK(decode(R"({"key":"a","key":"b","amount":1,"amount":2})").order.amount == 2);
}

TEST_CASE("json: what does not fit is refused, with the field", "[formats]") {
  CHECK(decode(R"({"key":"a"})").error == "field \"amount\" of a record is missing");
  CHECK(decode(R"({"key":1,"amount":1})").error ==
        "field \"key\" of a record is not a string: it is 1");
  CHECK(decode(R"({"key":null,"amount":1})").error ==
        "field \"key\" of a record is not a string: it is null");
  CHECK(decode(R"({"key":"a","amount":1.5})").error ==
        "field \"amount\" of a record is not a whole number that fits: it is 1.5");
  CHECK(decode(R"({"key":"a","amount":"1"})").error ==
        "field \"amount\" of a record is not a whole number that fits: it is \"1\"");
  CHECK(decode(R"({"key":"a","amount":9223372036854775808})").error ==
        "field \"amount\" of a record is not a whole number that fits: it is 9223372036854775808");
  CHECK(
      decode(R"({"key":"a","amount":1,"small":256})").error ==
      "field \"small\" of a record is not a whole number that is not negative and fits: it is 256");
  CHECK(
      decode(R"({"key":"a","amount":1,"small":-1})").error ==
      "field \"small\" of a record is not a whole number that is not negative and fits: it is -1");
  CHECK(decode(R"({"key":"a","amount":1,"paid":0})").error ==
        "field \"paid\" of a record is not true or false: it is 0");
  CHECK(decode(R"({"key":"a","amount":[1]})").error ==
        "field \"amount\" of a record is not a whole number that fits: it is [1]");
  CHECK(decode(R"({"key":"a","amount":1,"from":null})").error ==
        "field \"from\" of a record is not an object: it is null");
  CHECK(decode(R"({"key":"a","amount":1,"from":{}})").error ==
        "field \"latitude\" of a record is missing");
}

TEST_CASE("json: what is not one object is refused, cut at any place", "[formats]") {
  const std::string whole =
      R"({"key":"a\"}","amount":-5,"x":[1,{"y":null}],"from":{"latitude":4e1,"name":"z"},"paid":true})";
  REQUIRE(decode(whole).error.empty());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(whole.substr(0, size));
    CHECK(!decode(whole.substr(0, size)).error.empty());
  }
  for (const char* text : {"[]", "1", "null", "\"a\"", "{} {}", "{\"key\":\"a\",\"amount\":1}x",
                           "{\"key\":\"a\",\"amount\":1},", "{\"key\":\"a\" \"amount\":1}",
                           "{\"key\":\"a\",\"amount\":01}", "{\"key\":\"\\q\",\"amount\":1}",
                           "{key:\"a\",\"amount\":1}", "{\"key\":\"a\",\"amount\":tru}"}) {
    INFO(text);
    CHECK(!decode(text).error.empty());
  }
  CHECK(decode("[1]").error == "the record is not an object of JSON: it is [1]");
}

TEST_CASE("json: random bytes and flips never crash, and a long record is read", "[formats]") {
  const std::string whole = R"({"key":"abc","amount":12345,"from":{"latitude":1.25}})";
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int flip = 1; flip < 256; ++flip) {
      std::string text = whole;
      text[at] = static_cast<char>(text[at] ^ flip);
      JsonDecoder<Order> decoder;
      Order order;
      (void)decoder.decode(text, order);
    }
  }
  const std::string key(1'000'000, 'k');
  CHECK(decode(R"({"key":")" + key + R"(","amount":1})").order.key == key);
}

}  // namespace
}  // namespace streamrun::test
