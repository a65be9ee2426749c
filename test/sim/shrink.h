#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace streamrun::sim {

using Numbers = std::vector<std::uint64_t>;

/// The first words of a violation, up to the first that names a file, a number or a line: what two
/// histories have in common that show the same bug.
std::string kind_of(const std::string& violation);

/// Looks for a shorter tape, with lower numbers, which leads to the same.
class Shrinker {
 public:
  /// Runs a tape; if what is looked for happens, returns what was drawn of it.
  using Replay = std::function<std::optional<Numbers>(const Numbers&)>;

  /// `may_go_on` is asked before each try.
  Shrinker(Numbers numbers, Replay replay, std::function<bool()> may_go_on);

  /// The shortest that was found: without zeros at its end, which a tape has anyway.
  const Numbers& shrink();
  std::uint64_t tries() const { return tries_; }

 private:
  bool accepts(Numbers candidate);
  void cut_the_end();
  void delete_spans();
  void zero_spans();
  void lower_each(std::size_t at_most);

  const Replay replay_;
  const std::function<bool()> may_go_on_;
  Numbers best_;
  bool is_over_ = false;
  std::uint64_t tries_ = 0;
};

}  // namespace streamrun::sim
