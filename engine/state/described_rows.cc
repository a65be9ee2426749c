#include <streamrun/state/described_rows.h>
#include <streamrun/state/open_state.h>
#include <streamrun/types/described_type.h>

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

namespace streamrun {
namespace {

struct Shape {
  DescribedType key;
  std::vector<DescribedType> values;
};

Result<Shape> shape_of(const KeyedStateHandle& handle) {
  Shape shape;
  for (const StateDescription& state : handle.states) {
    shape.key = SR_TRY(DescribedType::parse(state.key_type));
    shape.values.push_back(SR_TRY(DescribedType::parse(state.value_type)));
  }
  return shape;
}

/// A row without values is a removal. `in.failed()` on damage.
DescribedRow read_row(const Shape& shape, int key_group, ByteReader& in) {
  DescribedRow row{.key_group = key_group, .key = {}, .values = {}};
  const std::uint64_t present = in.varint();
  if (present >> shape.values.size() != 0) in.fail();
  shape.key.read_as_json(in, row.key);
  for (std::size_t i = 0; i < shape.values.size() && !in.failed(); ++i) {
    std::optional<std::string>& value = row.values.emplace_back();
    if ((present >> i & 1U) != 0) shape.values[i].read_as_json(in, value.emplace());
  }
  return row;
}

}  // namespace

Result<void> read_described_rows(const KeyedStateHandle& handle, FileSystem* file_system,
                                 const std::function<bool(DescribedRow)>& use) {
  if (handle.states.empty()) return {};
  const Shape shape = SR_TRY(shape_of(handle));
  // Newest first: what is known of a key hides what older pieces say of it.
  std::unordered_set<std::string> known;
  for (auto piece = handle.pieces.rbegin(); piece != handle.pieces.rend(); ++piece) {
    const bool is_last = std::next(piece) == handle.pieces.rend();
    const StateFileReader reader = SR_TRY(open_state(*piece, file_system));
    StateBytes buffer;
    for (const StateBlock& block : reader.blocks()) {
      ByteReader in(SR_TRY(reader.payload(block, buffer)));
      for (std::uint32_t left = block.rows; left > 0; --left) {
        DescribedRow row = read_row(shape, block.key_group, in);
        if (in.failed()) {
          return Error{.code = ErrorCode::state_corrupt,
                       .message = "state file holds rows that can't be read",
                       .where = reader.name() + ", offset " + std::to_string(block.offset),
                       .retry = Retry::no};
        }
        const bool is_hidden = is_last ? known.contains(row.key) : !known.insert(row.key).second;
        const bool is_removal = std::none_of(row.values.begin(), row.values.end(),
                                             [](const auto& value) { return value.has_value(); });
        if (is_hidden || is_removal) continue;
        if (!use(std::move(row))) return {};
      }
    }
  }
  return {};
}

bool is_key(const std::string& key, const std::string& written) {
  if (key == written) return true;
  std::string quoted;
  append_json_string(quoted, written);
  return key == quoted;
}

}  // namespace streamrun
