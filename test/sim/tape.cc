#include "sim/tape.h"

#include <streamrun/base/checksum.h>

#include <algorithm>
#include <bit>

namespace streamrun::sim {

std::uint64_t SplitMix::next() {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebULL;
  return mixed ^ (mixed >> 31U);
}

std::uint64_t Tape::next() {
  if (position_ == numbers_.size()) numbers_.push_back(is_replay_ ? 0 : generator_.next());
  return numbers_[position_++];
}

std::uint64_t Tape::below(std::uint64_t bound) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64U);
}

std::uint64_t Tape::log_uniform(std::uint64_t limit) {
  const auto magnitude = below(static_cast<std::uint64_t>(std::bit_width(limit)));
  const std::uint64_t first = std::uint64_t{1} << magnitude;
  const std::uint64_t last = std::min(limit, 2 * first - 1);
  return between(first, last);
}

std::uint64_t Trace::mix(std::uint64_t value) {
  return SplitMix(value).next();
}

void Trace::fold(std::string_view text) {
  fold(xxh3_64(text));
}

}  // namespace streamrun::sim
