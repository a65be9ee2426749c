#pragma once

#include <string>
#include <vector>

namespace streamrun {

/// Rows under titles, aligned, two blanks between columns. An empty cell is printed as `-`; numbers
/// of characters, not bytes, are what is aligned.
class Table {
 public:
  explicit Table(std::vector<std::string> titles);
  /// Requires as many cells as titles.
  void add(std::vector<std::string> row);
  bool empty() const { return rows_.size() == 1; }
  /// With titles, a newline at each end, and no blanks before it.
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;  // the first has the titles
};

/// How many characters a UTF-8 text has.
std::size_t width_of(const std::string& text);

}  // namespace streamrun
