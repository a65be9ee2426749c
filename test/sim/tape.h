#pragma once

#include <streamrun/platform/random.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

namespace streamrun::sim {

/// SplitMix64: small, good enough, and the same everywhere.
class SplitMix {
 public:
  explicit SplitMix(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();

 private:
  std::uint64_t state_;
};

/// Every choice of a simulated history, in order. A seed expands to a tape; a recorded one replays
/// the history and may be cut or changed: behind its end all choices are 0.
class Tape {
 public:
  explicit Tape(std::uint64_t seed) : generator_(seed), is_replay_(false) {}
  explicit Tape(std::vector<std::uint64_t> recorded)
      : generator_(0), is_replay_(true), numbers_(std::move(recorded)) {}

  std::uint64_t next();
  /// Uniform in [0, bound); 0 for bound 0.
  std::uint64_t below(std::uint64_t bound);
  /// Uniform in [first, last].
  std::uint64_t between(std::uint64_t first, std::uint64_t last) {
    return first + below(last - first + 1);
  }
  /// Between 1 and `limit`, each order of magnitude as likely as the others.
  std::uint64_t log_uniform(std::uint64_t limit);
  bool flip() { return below(2) == 1; }
  /// Never for 0.
  bool one_in(std::uint64_t count) { return count > 0 && below(count) == count - 1; }
  template <typename T>
  T pick(std::initializer_list<T> choices) {
    return *(choices.begin() + below(choices.size()));
  }

  /// What was drawn so far.
  std::vector<std::uint64_t> drawn() const {
    return {numbers_.begin(), numbers_.begin() + static_cast<std::ptrdiff_t>(position_)};
  }

 private:
  SplitMix generator_;
  bool is_replay_;
  std::vector<std::uint64_t> numbers_;
  std::size_t position_ = 0;
};

/// What a `MemoryFileSystem` asks at a power cut, from the tape.
class TapeRandom final : public Random {
 public:
  explicit TapeRandom(Tape& tape) : tape_(tape) {}
  std::uint64_t next() override { return tape_.next(); }

 private:
  Tape& tape_;
};

/// The engine's chance: names and jitter. Not from the tape, so that changing the tape changes the
/// history but not the names in it.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : generator_(seed) {}
  std::uint64_t next() override { return generator_.next(); }

 private:
  SplitMix generator_;
};

/// A hash over everything that happened, in order: equal histories have equal ones.
class Trace {
 public:
  void fold(std::uint64_t number) { hash_ = mix(hash_ ^ number); }
  void fold(std::string_view text);
  std::uint64_t hash() const { return hash_; }

 private:
  static std::uint64_t mix(std::uint64_t value);
  std::uint64_t hash_ = 0x2545f4914f6cdd1dULL;
};

}  // namespace streamrun::sim
