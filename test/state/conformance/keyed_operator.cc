#include "keyed_operator.h"

#include <cstddef>

namespace streamrun {

Lines rows_of(const SubtaskHandles& handles, FileSystem& files) {
  Lines lines;
  for (const KeyedStateHandle& handle : handles) {
    const auto read = read_described_rows(handle, &files, [&](const DescribedRow& row) {
      std::string& line = lines.emplace_back(row.key);
      for (std::size_t i = 0; i < row.values.size(); ++i) {
        if (row.values[i]) line += " " + handle.states[i].name + "=" + *row.values[i];
      }
      return true;
    });
    REQUIRE(read);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace streamrun
