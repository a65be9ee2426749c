// Rows of keyed state from anywhere, in tables of several shapes: what is taken in comes out of a
// snapshot, and that is taken in again as the same.
#include <streamrun/state/keyed_state.h>
#include <streamrun/state/keyed_table.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fuzz_target.h"

namespace {

using namespace streamrun;

constexpr int kGroup = 0;  // the only one, so that every key belongs to it

/// Two states beside a key, of which the first may be of any type.
template <Key K, typename V>
class Rows {
 public:
  Rows() {
    value_.bind(table_, TypeSerializer<K>::type_name());
    number_.bind(table_, TypeSerializer<K>::type_name());
  }
  /// `pieces` times the same rows, as pieces of a chain.
  bool restore(std::uint64_t rows, std::string_view payload, int pieces = 1) {
    KeyedTableBase& table = table_;
    table.begin_restore();
    for (; pieces > 0; --pieces) {
      table.begin_restored_piece();
      if (!table.restore_rows(kGroup, static_cast<std::uint32_t>(rows), payload, {0, 1}))
        return false;
    }
    table.end_restore();
    return true;
  }
  std::uint64_t size() const { return table_.size(); }
  /// As the payload of one block, in the order of the table.
  std::string snapshot() {
    std::string payload;
    TableSnapshot& snapshot = table_.start_snapshot([&](SnapshotBlock block) {
      StateBytes scratch;
      block.encode(scratch);
      payload.append(block.bytes.data() + kStateBlockHeader,
                     block.bytes.size() - kStateBlockHeader);
      return StateBytes();
    });
    while (!table_.advance(snapshot, 7)) {
    }
    table_.end_snapshot(snapshot);
    return payload;
  }

 private:
  KeyedTable<K> table_{1, {kGroup, kGroup}};
  ValueState<V> value_{"value"};
  ValueState<std::int64_t> number_{"number"};
};

template <Key K, typename V>
void check(std::uint32_t count, std::string_view payload) {
  Rows<K, V> rows;
  if (!rows.restore(count, payload)) return;
  // A row without a state was removed: it hides older ones, and goes.
  const std::uint64_t size = rows.size();
  fuzz::require(size <= count, "there are no more rows than were taken in");
  const std::string once = rows.snapshot();
  Rows<K, V> again;
  fuzz::require(again.restore(size, once), "what a snapshot wrote can be restored");
  // Rows that collide may change places once, so sizes are compared.
  fuzz::require(again.size() == size && again.snapshot().size() == once.size(),
                "a restored table writes as much as the first");
  Rows<K, V> chained;
  fuzz::require(chained.restore(count, payload, 2), "an older piece may hold the same keys");
  fuzz::require(chained.size() == size && chained.snapshot().size() == once.size(),
                "an older piece with the same keys changes nothing");
}

struct Account {
  std::int64_t balance = 0;
  double rate = 0;
  bool open = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view payload = fuzz::text_of(data + 2, size - 2);
  const std::uint32_t count = data[1];
  switch (data[0] % 5) {
    case 0:
      check<std::int64_t, std::int64_t>(count, payload);
      break;
    case 1:
      check<std::string, Account>(count, payload);
      break;
    case 2:
      check<std::string, std::string>(count, payload);
      break;
    case 3:
      check<std::int32_t, std::map<std::string, std::int64_t>>(count, payload);
      break;
    default:
      check<std::pair<std::string, std::int32_t>, std::vector<std::string>>(count, payload);
  }
  return 0;
}
