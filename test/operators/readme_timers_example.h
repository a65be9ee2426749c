#pragma once

#include <streamrun/operators/keyed_process_operator.h>

#include <cstdint>
#include <string>

namespace streamrun::test {

// What stands between the marks is in README.md, word for word.
// [README]
struct Reading {
  std::string sensor;
  Timestamp time = 0;
};

// readings
//     .assign_timestamps_and_watermarks(WatermarkStrategy::for_bounded_out_of_orderness(5s)
//                                           .with_timestamp_assigner(&Reading::time))
//     .key_by(&Reading::sensor)
//     .process(Silence(), {.uid = "silence"})
struct Silence {
  static constexpr Timestamp kGap = 60'000;
  ValueState<Timestamp> last{"last"};

  void process(const Reading& reading, KeyedContext<std::string>& context, Output<std::string>&) {
    const Timestamp before = last.value_or(kMinTimestamp);
    if (reading.time <= before) return;  // out of order
    TimerService<std::string>& timers = context.timer_service();
    if (before != kMinTimestamp) timers.delete_event_time_timer(before + kGap);
    timers.register_event_time_timer(reading.time + kGap);
    last.update(reading.time);
  }
  void on_timer(Timestamp time, OnTimerContext<std::string>& context, Output<std::string>& output) {
    output.emit(std::string(context.key()) + " is silent at " + std::to_string(time));
    last.clear();
  }
};
// [README]

}  // namespace streamrun::test
