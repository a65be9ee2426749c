#include <streamrun/time/split_watermarks.h>

#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

using namespace std::chrono_literals;

std::string text_of(const WatermarkEvent& event) {
  if (const auto* const watermark = std::get_if<Watermark>(&event))
    return std::to_string(watermark->timestamp);
  return std::get<WatermarkStatus>(event).is_idle ? "idle" : "active";
}

/// The watermarks of a subtask, looked at every 50 ms as time goes by.
struct Subtask {
  explicit Subtask(int splits, std::optional<Duration> idleness = std::nullopt)
      : watermarks({.out_of_orderness = 10ms, .idleness = idleness}, 200ms) {
    for (int i = 0; i < splits; ++i) watermarks.add_split();
  }
  std::vector<std::string> after(Duration time) {
    std::vector<std::string> events;
    for (const Instant end = now + time; now < end;) {
      now += 50ms;
      while (const auto event = watermarks.poll(now)) events.push_back(text_of(*event));
    }
    return events;
  }

  SplitWatermarks watermarks;
  Instant now{};
};

using Events = std::vector<std::string>;

TEST_CASE("The split that is behind says how far event time is", "[time]") {
  Subtask subtask(2);
  subtask.watermarks.on_records(0, 1000);
  CHECK(subtask.after(1s).empty());  // of the other one nothing is known
  subtask.watermarks.on_records(1, 400);
  CHECK(subtask.after(1s) == Events{"389"});
  subtask.watermarks.on_records(0, 5000);
  CHECK(subtask.after(1s).empty());
  subtask.watermarks.on_records(1, 2000);
  CHECK(subtask.after(1s) == Events{"1989"});
}

TEST_CASE("A split that is idle holds up nobody, and is not late when it comes back", "[time]") {
  Subtask subtask(2, 1s);
  subtask.watermarks.on_records(0, 1000);
  subtask.watermarks.on_records(1, 300);
  CHECK(subtask.after(500ms) == Events{"289"});
  Events events;
  for (Timestamp at = 1100; at < 1100 + 100 * 30; at += 100) {
    subtask.watermarks.on_records(0, at);
    for (std::string& event : subtask.after(100ms)) events.push_back(std::move(event));
  }
  REQUIRE_FALSE(events.empty());
  CHECK(std::stol(events.back()) > 3000);
  // Back at an earlier time: what was said holds, and it is waited for again.
  subtask.watermarks.on_records(1, 500);
  subtask.watermarks.on_records(0, 9000);
  CHECK(subtask.after(300ms).empty());
  subtask.watermarks.on_records(1, 8000);
  subtask.watermarks.on_records(0, 9000);
  CHECK(subtask.after(300ms) == Events{"7989"});
}

TEST_CASE("When all splits are idle so is the subtask, once it has said what it knows", "[time]") {
  Subtask subtask(2, 1s);
  subtask.watermarks.on_records(0, 1000);
  subtask.watermarks.on_records(1, 300);
  CHECK(subtask.after(3s) == Events{"289", "989", "idle"});
  subtask.watermarks.on_records(1, 2000);
  CHECK(subtask.after(500ms) == Events{"active", "1989"});
}

TEST_CASE("A split that comes later is waited for, and nothing goes back", "[time]") {
  Subtask subtask(1);
  subtask.watermarks.on_records(0, 1000);
  CHECK(subtask.after(1s) == Events{"989"});
  subtask.watermarks.add_split();
  subtask.watermarks.on_records(0, 3000);
  subtask.watermarks.on_records(1, 100);
  CHECK(subtask.after(1s).empty());
  subtask.watermarks.on_records(1, 2000);
  CHECK(subtask.after(1s) == Events{"1989"});
}

TEST_CASE("A split that has ended is waited for no longer", "[time]") {
  Subtask subtask(2);
  subtask.watermarks.on_records(0, 1000);
  subtask.watermarks.on_records(1, 300);
  CHECK(subtask.after(1s) == Events{"289"});
  subtask.watermarks.end_split(1);
  CHECK(subtask.after(1s) == Events{"989"});
}

TEST_CASE("A subtask without splits is idle after the idleness", "[time]") {
  Subtask never(0);
  CHECK(never.after(3s).empty());
  CHECK_FALSE(never.watermarks.next_deadline());
  Subtask subtask(0, 1s);
  CHECK(subtask.after(3s) == Events{"idle"});
  subtask.watermarks.add_split();
  subtask.watermarks.on_records(0, 1000);
  CHECK(subtask.after(500ms) == Events{"active", "989"});
}

}  // namespace
}  // namespace streamrun
