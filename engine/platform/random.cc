#include <streamrun/base/ids.h>
#include <streamrun/platform/random.h>

namespace streamrun {

std::array<std::uint8_t, 16> Random::next128() {
  std::array<std::uint8_t, 16> bytes{};
  for (unsigned half = 0; half < 2; ++half) {
    const std::uint64_t word = next();
    for (unsigned i = 0; i < 8; ++i)
      bytes[8 * half + i] = static_cast<std::uint8_t>(word >> (8 * i));
  }
  return bytes;
}

std::string Random::uuid() {
  return hex_of(next128());
}

std::uint64_t Random::below(std::uint64_t bound) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64U);
}

}  // namespace streamrun
