#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// Where the rows of a table are that it does not hold, state by state. A key is its key group, two
/// bytes big-endian, and the serialized key; so keys of one group lie together, in the same order
/// for every state. What goes wrong is thrown as an `ErrorException`. Owned by the table's thread.
class RowStore {
 public:
  virtual ~RowStore() = default;
  /// The states that a key has, a bit each, and their serialized values in `values`, by state:
  /// valid until the next call.
  virtual std::uint32_t read(std::string_view key, std::string_view* values) = 0;

  /// The same of many keys: `use(i, present, values)` for each, once, in any order. `use` does not
  /// call the store.
  using UseFound =
      std::function<void(std::size_t index, std::uint32_t present, const std::string_view* values)>;
  virtual void read_many(const std::vector<std::string>& keys, const UseFound& use) = 0;

  // Changes are gathered, and seen after `commit`, which waits while the store is being copied.
  virtual void put(int state, std::string_view key, std::string_view value) = 0;
  virtual void remove(int state, std::string_view key) = 0;
  virtual void commit() = 0;
  /// Whether `commit` would wait.
  virtual bool is_being_copied() const { return false; }

  /// `use(key, present, values)` for up to `limit` keys with a state behind `after`, in their
  /// order, which become `after`; whether there are more. `use` does not call the store.
  using UseRow = std::function<void(std::string_view key, std::uint32_t present,
                                    const std::string_view* values)>;
  virtual bool scan(std::string& after, std::size_t limit, const UseRow& use) = 0;

  /// What the table may hold, about, in bytes.
  virtual std::size_t most_cached_bytes() const = 0;
};

}  // namespace streamrun
