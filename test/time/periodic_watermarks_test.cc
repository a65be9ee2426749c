#include <streamrun/time/periodic_watermarks.h>

#include <chrono>
#include <string>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

using namespace std::chrono_literals;

struct Periodic {
  explicit Periodic(const WatermarkOptions& options, Duration interval = 200ms)
      : watermarks(options, interval) {}

  /// All that is due: `5`, `idle`, `active`.
  std::string poll(Duration now) {
    std::string text;
    while (const auto event = watermarks.poll(Instant(now))) {
      const auto* const watermark = std::get_if<Watermark>(&*event);
      const bool is_idle = watermark == nullptr && std::get<WatermarkStatus>(*event).is_idle;
      text += (text.empty() ? "" : " ") + (watermark != nullptr
                                               ? std::to_string(watermark->timestamp)
                                               : std::string(is_idle ? "idle" : "active"));
    }
    return text;
  }

  PeriodicWatermarks watermarks;
};

TEST_CASE("periodic watermarks: the greatest timestamp less a millisecond, once an interval",
          "[time]") {
  Periodic periodic({});
  CHECK(periodic.poll(0ms).empty());
  CHECK_FALSE(periodic.watermarks.next_deadline());
  periodic.watermarks.on_records(1000);
  CHECK(periodic.poll(100ms).empty());
  CHECK(periodic.watermarks.next_deadline() == Instant(200ms));
  periodic.watermarks.on_records(900);
  CHECK(periodic.poll(200ms) == "999");
  CHECK_FALSE(periodic.watermarks.next_deadline());
  CHECK(periodic.poll(900ms).empty());
  // It is due by now.
  periodic.watermarks.on_records(1002);
  CHECK(periodic.poll(901ms) == "1001");
  periodic.watermarks.on_records(1003);
  CHECK(periodic.poll(1100ms).empty());
  CHECK(periodic.poll(1101ms) == "1002");
}

TEST_CASE("periodic watermarks: stay behind by the bound", "[time]") {
  Periodic periodic({.out_of_orderness = 5s, .idleness = {}});
  periodic.poll(0ms);
  periodic.watermarks.on_records(10'000);
  CHECK(periodic.poll(1s) == "4999");
  periodic.watermarks.on_records(9'000);
  CHECK(periodic.poll(2s).empty());
}

TEST_CASE("periodic watermarks: the earliest timestamps there are give none", "[time]") {
  Periodic periodic({.out_of_orderness = 5s, .idleness = {}});
  periodic.poll(0ms);
  periodic.watermarks.on_records(kMinTimestamp);
  CHECK(periodic.poll(1s).empty());
  periodic.watermarks.on_records(kMinTimestamp + 5000);
  CHECK(periodic.poll(2s).empty());
  periodic.watermarks.on_records(kMinTimestamp + 5002);
  CHECK(periodic.poll(3s) == std::to_string(kMinTimestamp + 1));
}

TEST_CASE("periodic watermarks: without an interval there are none, nor idleness", "[time]") {
  Periodic periodic({.out_of_orderness = {}, .idleness = 1s}, 0ms);
  periodic.watermarks.on_records(1);
  CHECK(periodic.poll(0ms).empty());
  CHECK(periodic.poll(10s).empty());
  CHECK_FALSE(periodic.watermarks.next_deadline());
}

TEST_CASE("periodic watermarks: idle after longer than the timeout without a record", "[time]") {
  Periodic periodic({.out_of_orderness = {}, .idleness = 1s});
  CHECK(periodic.poll(0ms).empty());
  CHECK(periodic.watermarks.next_deadline() == Instant(1s + 1ns));
  CHECK(periodic.poll(1s).empty());
  periodic.watermarks.on_records(10);
  CHECK(periodic.poll(1s) == "9");
  CHECK(periodic.poll(2s).empty());
  CHECK(periodic.poll(2s + 1ns).empty());  // the task may have been held up: it looks once more
  CHECK(periodic.poll(2s + 1ns) == "idle");
  CHECK(periodic.poll(9s).empty());
  CHECK_FALSE(periodic.watermarks.next_deadline());
  periodic.watermarks.on_records(20);
  CHECK(periodic.poll(9s) == "active 19");
}

TEST_CASE("periodic watermarks: what is known goes out before it falls idle", "[time]") {
  Periodic periodic({.out_of_orderness = {}, .idleness = 10ms});
  periodic.poll(0ms);
  periodic.watermarks.on_records(10);
  CHECK(periodic.poll(5ms).empty());
  CHECK(periodic.poll(16ms).empty());
  CHECK(periodic.poll(16ms) == "9 idle");
}

TEST_CASE("periodic watermarks: back pressure is not idleness", "[time]") {
  Periodic periodic({.out_of_orderness = {}, .idleness = 1s});
  periodic.poll(0ms);
  periodic.watermarks.pause();
  CHECK(periodic.poll(10s).empty());
  CHECK(periodic.poll(11s).empty());
  CHECK(periodic.poll(12s).empty());
  CHECK(periodic.poll(12s) == "idle");
}

}  // namespace
}  // namespace streamrun
