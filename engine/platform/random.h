#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace streamrun {

/// Chance, as the engine sees it: ids, jitter. Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;

  std::array<std::uint8_t, 16> next128();
  /// 32 hex digits: names of files and attempts.
  std::string uuid();
  /// Uniform in [0, bound); 0 for bound 0.
  std::uint64_t below(std::uint64_t bound);
};

}  // namespace streamrun
