#include <streamrun/time/watermark_valve.h>

#include <algorithm>

namespace streamrun {

WatermarkValve::Change WatermarkValve::on_event(std::size_t input, const WatermarkEvent& event) {
  Input& from = inputs_[input];
  if (const auto* const watermark = std::get_if<Watermark>(&event))
    return on_watermark(from, watermark->timestamp);
  return on_status(from, std::get<WatermarkStatus>(event).is_idle);
}

WatermarkValve::Change WatermarkValve::on_watermark(Input& input, Timestamp watermark) {
  if (input.is_idle || input.has_ended || watermark <= input.watermark) return {};
  input.watermark = watermark;
  if (watermark >= last_) input.counts = true;
  return {.watermark = least(), .status = {}};
}

WatermarkValve::Change WatermarkValve::on_status(Input& input, bool is_idle) {
  if (input.has_ended || input.is_idle == is_idle) return {};
  input.is_idle = is_idle;
  if (is_idle) return without(input);
  input.counts = input.watermark >= last_;
  if (!is_idle_) return {};
  is_idle_ = false;
  return {.watermark = {}, .status = WatermarkStatus{.is_idle = false}};
}

WatermarkValve::Change WatermarkValve::on_end(std::size_t input) {
  Input& ended = inputs_[input];
  if (ended.has_ended) return {};
  ended.has_ended = true;
  return without(ended);
}

/// Others may have been waiting for this input.
WatermarkValve::Change WatermarkValve::without(Input& input) {
  input.counts = false;
  bool any_open = false;
  Timestamp greatest = kMinTimestamp;
  for (const Input& each : inputs_) {
    if (each.has_ended) continue;
    if (!each.is_idle) return {.watermark = least(), .status = {}};
    any_open = true;
    greatest = std::max(greatest, each.watermark);
  }
  if (!any_open || is_idle_) return {};
  is_idle_ = true;
  return {.watermark = raised_to(greatest), .status = WatermarkStatus{.is_idle = true}};
}

std::optional<Watermark> WatermarkValve::least() {
  Timestamp found = kMaxTimestamp;
  bool any = false;
  for (const Input& input : inputs_) {
    if (!input.counts) continue;
    any = true;
    found = std::min(found, input.watermark);
  }
  return any ? raised_to(found) : std::nullopt;
}

std::optional<Watermark> WatermarkValve::raised_to(Timestamp watermark) {
  if (watermark <= last_) return std::nullopt;
  last_ = watermark;
  return Watermark{watermark};
}

}  // namespace streamrun
