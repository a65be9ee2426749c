#include <streamrun/runtime/mailbox.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "wake_counter.h"

namespace streamrun {
namespace {

TEST_CASE("mailbox: gives letters out in the order in which they were posted, and wakes the owner",
          "[runtime]") {
  CountedTarget owner;
  Mailbox mailbox(owner.target);
  CHECK_FALSE(mailbox.try_take());
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) mailbox.post([&order, i] { order.push_back(i); });
  CHECK(owner.wakes() == 5);
  while (auto mail = mailbox.try_take()) mail();
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4});
}

TEST_CASE("mailbox: a letter may post another", "[runtime]") {
  CountedTarget owner;
  Mailbox mailbox(owner.target);
  int answers = 0;
  mailbox.post([&] { mailbox.post([&answers] { ++answers; }); });
  while (auto mail = mailbox.try_take()) mail();
  CHECK(answers == 1);
}

TEST_CASE(
    "mailbox: after it is closed nothing is taken, nobody is woken, and what letters hold is let "
    "go",
    "[runtime]") {
  CountedTarget owner;
  Mailbox mailbox(owner.target);
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = held;
  mailbox.post([held = std::move(held)] { FAIL("read after the mailbox was closed"); });
  mailbox.close();
  CHECK(watched.expired());
  const int wakes = owner.wakes();
  mailbox.post([] { FAIL("read after the mailbox was closed"); });
  CHECK_FALSE(mailbox.try_take());
  CHECK(owner.wakes() == wakes);
}

TEST_CASE("mailbox: a letter whose end posts another can be dropped by closing", "[runtime]") {
  CountedTarget owner;
  Mailbox mailbox(owner.target);
  struct PostsAtEnd {
    Mailbox* mailbox;
    explicit PostsAtEnd(Mailbox& target) : mailbox(&target) {}
    PostsAtEnd(PostsAtEnd&& other) noexcept : mailbox(std::exchange(other.mailbox, nullptr)) {}
    ~PostsAtEnd() {
      if (mailbox != nullptr) mailbox->post([] {});
    }
    void operator()() {}
  };
  mailbox.post(PostsAtEnd(mailbox));
  mailbox.close();
  CHECK_FALSE(mailbox.try_take());
}

TEST_CASE("mailbox: letters of many writers all arrive, those of each in order", "[runtime]") {
  constexpr int kWriters = 4;
  constexpr int kLetters = 20000;
  WakeTarget nobody;
  Mailbox mailbox(nobody);
  std::array<int, kWriters> next{};
  int wrong = 0;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < kLetters; ++i) {
        mailbox.post([&next, &wrong, writer, i] {
          if (next[static_cast<std::size_t>(writer)]++ != i) ++wrong;
        });
      }
    });
  }
  for (int taken = 0; taken < kWriters * kLetters;) {
    if (auto mail = mailbox.try_take()) {
      mail();
      ++taken;
    } else {
      std::this_thread::yield();
    }
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(wrong == 0);
  CHECK_FALSE(mailbox.try_take());
}

}  // namespace
}  // namespace streamrun
