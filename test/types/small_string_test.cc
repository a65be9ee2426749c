#include <streamrun/types/small_string.h>

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

std::string text_of_length(std::size_t length) {
  std::string text(length, '\0');
  for (std::size_t i = 0; i < length; ++i) text[i] = static_cast<char>('a' + i % 26);
  return text;
}

TEST_CASE("small string: holds texts of up to 15 bytes itself and refers to longer ones",
          "[types]") {
  StringArena arena;
  for (std::size_t length = 0; length <= 40; ++length) {
    const std::string text = text_of_length(length);
    const SmallString held = arena.hold(text);
    CHECK(held.view() == text);
    CHECK(held.size() == length);
    CHECK(held.is_inline() == (length <= 15));
  }
}

TEST_CASE("small string: an empty one is the default one", "[types]") {
  CHECK(SmallString() == SmallString::from_short(""));
  CHECK(SmallString().view().empty());
  CHECK(SmallString::from_short(std::string_view()) == SmallString());
  CHECK(StringArena().store(std::string_view()).empty());
}

TEST_CASE("small string: keeps NUL bytes, and they count in comparisons", "[types]") {
  StringArena arena;
  for (const std::size_t length : {1U, 14U, 15U, 16U, 30U}) {
    const std::string zeros(length, '\0');
    CHECK(arena.hold(zeros).view() == zeros);
    CHECK_FALSE(arena.hold(zeros) == arena.hold(zeros.substr(1)));
  }
}

TEST_CASE("small string: equal exactly if the texts are", "[types]") {
  StringArena arena;
  std::vector<std::string> texts = {"", std::string(1, '\0'), "a", "b", std::string("a\0", 2)};
  for (std::size_t length = 13; length <= 18; ++length) {
    std::string text = text_of_length(length);
    texts.push_back(text);
    text.back() = '!';
    texts.push_back(text);
    text.front() = '\xff';
    texts.push_back(text);
  }
  for (const std::string& left : texts) {
    for (const std::string& right : texts) {
      INFO(left << " and " << right);
      CHECK((arena.hold(left) == arena.hold(right)) == (left == right));
    }
  }
}

TEST_CASE("small string: two long ones are equal wherever their bytes are", "[types]") {
  const std::string one = text_of_length(100);
  const std::string other = one;
  CHECK(SmallString::refer_to(one) == SmallString::refer_to(other));
}

TEST_CASE("string arena: what it stores never moves until it is cleared", "[types]") {
  StringArena arena;
  std::vector<std::string> texts;
  std::vector<std::string_view> views;
  for (std::size_t i = 0; i < 3000; ++i) {
    texts.push_back(text_of_length(i * 7 % 900));
    views.push_back(arena.store(texts.back()));
  }
  for (std::size_t i = 0; i < texts.size(); ++i) REQUIRE(views[i] == texts[i]);
}

TEST_CASE("string arena: a text larger than any block has one of its own", "[types]") {
  StringArena arena;
  const std::string large = text_of_length(3U << 20U);
  const std::string_view before = arena.store("before");
  CHECK(arena.store(large) == large);
  CHECK(arena.store("after") == "after");
  CHECK(before == "before");
}

TEST_CASE("string arena: counts the bytes in use, and none after it is cleared", "[types]") {
  StringArena arena;
  arena.clear();
  CHECK(arena.used_bytes() == 0);
  arena.hold("inline");
  CHECK(arena.used_bytes() == 0);
  arena.store(text_of_length(5000));
  arena.store("abc");
  CHECK(arena.used_bytes() == 5003);
  arena.clear();
  CHECK(arena.used_bytes() == 0);
  CHECK(arena.store("again") == "again");
}

}  // namespace
}  // namespace streamrun
