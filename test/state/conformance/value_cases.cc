#include <cstdint>
#include <string>

#include "kinds_cases.h"

namespace streamrun {
namespace {

using Op = KindsOperator;

std::string number_key(int number) {
  return "k" + std::to_string(number);
}

}  // namespace

ConformanceCases value_cases() {
  return cases_of({
      {"value state: a key without a value has none",
       [](Op& op) {
         CHECK(op.at("a").value.get() == nullptr);
         CHECK(op.at("").value.get() == nullptr);
       },
       Lines{}},
      {"value state: an update is what is read",
       [](Op& op) {
         op.at("a").value.update("x");
         CHECK(seen(op.at("a")) == SeenKinds{.value = "x"});
       },
       Lines{R"("a" value="x")"}},
      {"value state: an update replaces the value",
       [](Op& op) {
         op.at("a").value.update("x");
         op.at("a").value.update("a text that is longer than fifteen bytes");
         op.at("a").value.update("y");
         CHECK(seen(op.at("a")) == SeenKinds{.value = "y"});
       },
       Lines{R"("a" value="y")"}},
      {"value state: an empty text is a value",
       [](Op& op) {
         op.at("a").value.update("");
         CHECK(seen(op.at("a")) == SeenKinds{.value = ""});
       },
       Lines{R"("a" value="")"}},
      {"value state: an empty key is a key",
       [](Op& op) {
         op.at("").value.update("x");
         CHECK(seen(op.at("")) == SeenKinds{.value = "x"});
         CHECK(op.at("a").value.get() == nullptr);
       },
       Lines{R"("" value="x")"}},
      {"value state: a clear leaves nothing",
       [](Op& op) {
         op.at("a").value.update("x");
         op.at("a").value.clear();
         CHECK(seen(op.at("a")) == SeenKinds{});
       },
       Lines{}},
      {"value state: a clear of nothing leaves nothing",
       [](Op& op) {
         op.at("a").value.clear();
         op.at("a").value.clear();
         CHECK(seen(op.at("a")) == SeenKinds{});
       },
       Lines{}},
      {"value state: a cleared value may be set again",
       [](Op& op) {
         for (int round = 0; round < 5; ++round) {
           op.at("a").value.update("x" + std::to_string(round));
           CHECK(op.at("a").value.get() != nullptr);
           op.at("a").value.clear();
           CHECK(op.at("a").value.get() == nullptr);
         }
         op.at("a").value.update("y");
         CHECK(seen(op.at("a")) == SeenKinds{.value = "y"});
       },
       Lines{R"("a" value="y")"}},
      {"value state: each key has its own",
       [](Op& op) {
         op.at("a").value.update("1");
         op.at("b").value.update("2");
         op.at("ab").value.update("3");
         CHECK(*op.at("a").value.get() == "1");
         CHECK(*op.at("b").value.get() == "2");
         CHECK(*op.at("ab").value.get() == "3");
         CHECK(op.at("ba").value.get() == nullptr);
       },
       Lines{R"("a" value="1")", R"("ab" value="3")", R"("b" value="2")"}},
      {"value state: a clear leaves other keys alone",
       [](Op& op) {
         op.at("a").value.update("1");
         op.at("b").value.update("2");
         op.at("a").value.clear();
         CHECK(op.at("a").value.get() == nullptr);
         CHECK(*op.at("b").value.get() == "2");
       },
       Lines{R"("b" value="2")"}},
      {"value state: a default is returned, not kept",
       [](Op& op) {
         CHECK(op.at("a").value.value_or("none") == "none");
         CHECK(op.at("a").value.get() == nullptr);
         op.at("b").value.update("x");
         CHECK(op.at("b").value.value_or("none") == "x");
       },
       Lines{R"("b" value="x")"}},
      {"value state: any bytes are a text",
       [](Op& op) {
         const std::string bytes("a\0b\n\"\\\x7f", 7);
         op.at(bytes).value.update(bytes);
         CHECK(seen(op.at(bytes)) == SeenKinds{.value = bytes});
         CHECK(op.at(std::string("a\0b", 3)).value.get() == nullptr);
       },
       Lines{"\"a\\u0000b\\n\\\"\\\\\x7f\" value=\"a\\u0000b\\n\\\"\\\\\x7f\""}},
      {"value state: bytes that are no UTF-8 come back as they were",
       [](Op& op) {
         const std::string bytes = "\xff\xc3\x28\x80";
         op.at("a").value.update(bytes);
         op.restart();
         CHECK(seen(op.at("a")) == SeenKinds{.value = bytes});
       }},
      {"value state: a value may be megabytes",
       [](Op& op) {
         const std::string text(std::size_t{3} << 20U, 'x');
         op.at("a").value.update(text);
         op.at("b").value.update("small");
         CHECK((*op.at("a").value.get() == text));
         op.restart();
         CHECK((*op.at("a").value.get() == text));
         CHECK(*op.at("b").value.get() == "small");
       }},
      {"value state: a key may be long",
       [](Op& op) {
         for (const std::size_t length : {14, 15, 16, 17, 127, 128, 255, 256, 65535, 65536, 200000})
           op.at(std::string(length, 'k')).value.update(std::to_string(length));
         for (const std::size_t length : {14, 15, 16, 17, 127, 128, 255, 256, 65535, 65536, 200000})
           CHECK(*op.at(std::string(length, 'k')).value.get() == std::to_string(length));
         CHECK(op.at(std::string(65537, 'k')).value.get() == nullptr);
       }},
      {"value state: keys that differ at their end only are different",
       [](Op& op) {
         const std::string head(40, 'k');
         op.at(head + "1").value.update("1");
         op.at(head + "2").value.update("2");
         op.at(head).value.update("0");
         CHECK(*op.at(head + "1").value.get() == "1");
         CHECK(*op.at(head + "2").value.get() == "2");
         CHECK(*op.at(head).value.get() == "0");
       }},
      {"value state: a value may grow and shrink",
       [](Op& op) {
         for (std::size_t length = 0; length < 200; length += 7) {
           op.at("a").value.update(std::string(length, 'g'));
           CHECK(*op.at("a").value.get() == std::string(length, 'g'));
         }
         for (std::size_t length = 200; length > 7; length -= 7)
           op.at("a").value.update(std::string(length, 's'));
         CHECK(*op.at("a").value.get() == "ssssssssss" + std::string(1, 's'));
       },
       Lines{R"("a" value="sssssssssss")"}},
      {"value state: many keys, half of them cleared",
       [](Op& op) {
         constexpr int kKeys = 400;
         for (int key = 0; key < kKeys; ++key)
           op.at(number_key(key)).value.update(std::to_string(key));
         for (int key = 0; key < kKeys; key += 2) op.at(number_key(key)).value.clear();
         op.begin_batch();
         for (int key = 0; key < kKeys; ++key)
           CHECK(op.at(number_key(key)).value.value_or("none") ==
                 (key % 2 == 0 ? "none" : std::to_string(key)));
       }},
      {"value state: batches make no difference",
       [](Op& op) {
         for (int batch = 0; batch < 20; ++batch) {
           op.begin_batch();
           EveryKind& states = op.at(number_key(batch % 3));
           states.value.update(states.value.value_or("") + std::to_string(batch % 10));
         }
         CHECK(*op.at("k0").value.get() == "0369258");
       },
       Lines{R"("k0" value="0369258")", R"("k1" value="1470369")", R"("k2" value="258147")"}},
  });
}

}  // namespace streamrun
