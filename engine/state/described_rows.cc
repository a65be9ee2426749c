#include <streamrun/state/described_rows.h>
#include <streamrun/state/open_state.h>

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

namespace streamrun {

RowDescriber::RowDescriber(DescribedType key, std::vector<DescribedType> values)
    : key_(std::move(key)), values_(std::move(values)) {}

Result<RowDescriber> RowDescriber::of(const KeyedStateHandle& handle) {
  std::optional<DescribedType> key;
  std::vector<DescribedType> values;
  for (const StateDescription& state : handle.states) {
    key = SR_TRY(DescribedType::parse(state.key_type));
    values.push_back(SR_TRY(DescribedType::parse(state.value_type)));
  }
  SR_ASSERT(key.has_value(), "a row has a state");
  return RowDescriber(*std::move(key), std::move(values));
}

DescribedRow RowDescriber::read(int key_group, ByteReader& in) const {
  DescribedRow row{.key_group = key_group, .key = {}, .values = {}};
  const std::uint64_t present = in.varint();
  if (present >> values_.size() != 0) in.fail();
  key_.read_as_json(in, row.key);
  for (std::size_t i = 0; i < values_.size() && !in.failed(); ++i) {
    std::optional<std::string>& value = row.values.emplace_back();
    if ((present >> i & 1U) != 0) values_[i].read_as_json(in, value.emplace());
  }
  return row;
}

std::optional<DescribedRow> RowDescriber::describe(int key_group, std::string_view key,
                                                   std::uint32_t present,
                                                   const std::string_view* values) const {
  DescribedRow row{.key_group = key_group, .key = {}, .values = {}};
  ByteReader of_key(key);
  key_.read_as_json(of_key, row.key);
  if (!of_key.done()) return std::nullopt;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    std::optional<std::string>& value = row.values.emplace_back();
    if ((present >> i & 1U) == 0) continue;
    ByteReader in(values[i]);
    values_[i].read_as_json(in, value.emplace());
    if (!in.done()) return std::nullopt;
  }
  return row;
}

Result<void> read_described_rows(const KeyedStateHandle& handle, FileSystem* file_system,
                                 const std::function<bool(DescribedRow)>& use) {
  if (handle.states.empty()) return {};
  const RowDescriber describer = SR_TRY(RowDescriber::of(handle));
  // Newest first: what is known of a key hides what older pieces say of it.
  std::unordered_set<std::string> known;
  for (auto piece = handle.pieces.rbegin(); piece != handle.pieces.rend(); ++piece) {
    const bool is_last = std::next(piece) == handle.pieces.rend();
    const StateFileReader reader = SR_TRY(open_state(*piece, file_system));
    StateBytes buffer;
    for (const StateBlock& block : reader.blocks()) {
      ByteReader in(SR_TRY(reader.payload(block, buffer)));
      for (std::uint32_t left = block.rows; left > 0; --left) {
        DescribedRow row = describer.read(block.key_group, in);
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
