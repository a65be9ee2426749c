#include <streamrun/base/result.h>
#include <streamrun/time/watermark_strategy.h>

#include <chrono>

namespace streamrun {

WatermarkStrategy WatermarkStrategy::for_bounded_out_of_orderness(Duration most) {
  if (most < Duration(0)) {
    throw_error({.code = ErrorCode::usage,
                 .message = "records can't be out of order by less than nothing",
                 .retry = Retry::no});
  }
  return WatermarkStrategy(
      {.out_of_orderness = std::chrono::ceil<std::chrono::milliseconds>(most), .idleness = {}});
}

WatermarkStrategy WatermarkStrategy::with_idleness(Duration timeout) const {
  if (timeout <= Duration(0)) {
    throw_error({.code = ErrorCode::usage,
                 .message = "the time after which a stream is idle must be positive",
                 .retry = Retry::no});
  }
  WatermarkOptions changed = options_;
  changed.idleness = timeout;
  return WatermarkStrategy(changed);
}

}  // namespace streamrun
