#include <streamrun/time/watermark_valve.h>

#include <string>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

/// `5` for a watermark, `idle`, `active`, or nothing.
std::string text_of(const WatermarkValve::Change& change) {
  std::string text = change.watermark ? std::to_string(change.watermark->timestamp) : "";
  if (change.status)
    text += (text.empty() ? "" : " ") + std::string(change.status->is_idle ? "idle" : "active");
  return text;
}

struct Valve {
  explicit Valve(std::size_t inputs) : valve(inputs) {}
  std::string at(std::size_t input, Timestamp time) {
    return text_of(valve.on_event(input, Watermark{time}));
  }
  std::string idle(std::size_t input) {
    return text_of(valve.on_event(input, WatermarkStatus{.is_idle = true}));
  }
  std::string active(std::size_t input) {
    return text_of(valve.on_event(input, WatermarkStatus{.is_idle = false}));
  }
  std::string end(std::size_t input) { return text_of(valve.on_end(input)); }

  WatermarkValve valve;
};

TEST_CASE("watermark valve: with one input it passes what rises", "[time]") {
  Valve valve(1);
  CHECK(valve.at(0, 5) == "5");
  CHECK(valve.at(0, 5).empty());
  CHECK(valve.at(0, 4).empty());
  CHECK(valve.at(0, -7).empty());
  CHECK(valve.at(0, 6) == "6");
}

TEST_CASE("watermark valve: the least of all inputs holds, once each has one", "[time]") {
  Valve valve(3);
  CHECK(valve.at(0, 10).empty());
  CHECK(valve.at(1, 20).empty());
  CHECK(valve.at(2, 5) == "5");
  CHECK(valve.at(0, 30).empty());
  CHECK(valve.at(2, 15) == "15");
  CHECK(valve.at(2, 40) == "20");
}

TEST_CASE("watermark valve: nobody waits for an idle input", "[time]") {
  Valve valve(2);
  CHECK(valve.at(0, 10).empty());
  CHECK(valve.idle(1) == "10");
  CHECK(valve.idle(1).empty());
  CHECK(valve.at(0, 20) == "20");
  // What an idle input says does not count.
  CHECK(valve.at(1, 25).empty());
  CHECK(valve.at(0, 30) == "30");
}

TEST_CASE("watermark valve: an input that is active again counts once it has caught up", "[time]") {
  Valve valve(2);
  valve.at(0, 10);
  valve.at(1, 5);
  CHECK(valve.idle(1) == "10");
  CHECK(valve.active(1).empty());
  CHECK(valve.at(1, 7).empty());
  CHECK(valve.at(0, 20) == "20");
  CHECK(valve.at(1, 21).empty());
  CHECK(valve.at(0, 30) == "21");
}

TEST_CASE("watermark valve: when all are idle the greatest holds, and so is the valve", "[time]") {
  Valve valve(2);
  valve.at(0, 10);
  CHECK(valve.at(1, 3) == "3");
  CHECK(valve.idle(0).empty());
  CHECK(valve.idle(1) == "10 idle");
  CHECK(valve.active(0) == "active");
  CHECK(valve.active(1).empty());
  CHECK(valve.at(0, 12) == "12");
  // Input 1 is behind, and does not count.
  CHECK(valve.at(1, 11).empty());
  CHECK(valve.idle(0).empty());
  CHECK(valve.idle(1) == "idle");
}

TEST_CASE("watermark valve: without a watermark idleness passes alone", "[time]") {
  Valve valve(2);
  CHECK(valve.idle(1).empty());
  CHECK(valve.idle(0) == "idle");
  CHECK(valve.active(1) == "active");
}

TEST_CASE("watermark valve: an input that has ended holds nothing back", "[time]") {
  Valve valve(3);
  valve.at(0, 10);
  valve.at(1, 20);
  CHECK(valve.at(2, 5) == "5");
  CHECK(valve.end(2) == "10");
  CHECK(valve.end(0) == "20");
  CHECK(valve.end(0).empty());
  CHECK(valve.at(1, 21) == "21");
  CHECK(valve.end(1).empty());
}

TEST_CASE("watermark valve: an input that has ended makes nothing late that idle ones bring",
          "[time]") {
  Valve valve(2);
  valve.at(0, 10);
  CHECK(valve.at(1, 5) == "5");
  CHECK(valve.idle(1) == "10");
  CHECK(valve.end(0) == "idle");
  CHECK(valve.active(1) == "active");
  CHECK(valve.at(1, 8).empty());
  CHECK(valve.at(1, 11) == "11");
}

}  // namespace
}  // namespace streamrun
