#include <streamrun/base/bytes.h>
#include <streamrun/checkpoint/metadata_format.h>
#include <streamrun/checkpoint/snapshot_files.h>

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "checked_json.h"
#include "metadata_layout.h"

namespace streamrun {
namespace {

using Json = nlohmann::json;

Error damaged(std::string what) {
  return {.code = ErrorCode::metadata_corrupt,
          .message = "the checkpoint metadata is damaged: " + std::move(what),
          .retry = Retry::no};
}

/// A value in the document that knows its place (for messages), on the stack of who reads it.
class Node {
 public:
  explicit Node(const Json& json) : json_(json) {}
  Node(const Json& json, const Node& parent, std::string_view key)
      : json_(json), parent_(&parent), key_(key) {}
  Node(const Json& json, const Node& parent, std::size_t index)
      : json_(json), parent_(&parent), index_(index) {}

  std::string place() const {
    if (parent_ == nullptr) return "the document";
    const std::string above = parent_->parent_ == nullptr ? "" : parent_->place();
    if (index_) return fmt::format("{}[{}]", above, *index_);
    return above.empty() ? std::string(key_) : fmt::format("{}.{}", above, key_);
  }
  Error wrong(std::string_view what) const { return damaged(fmt::format("{} {}", place(), what)); }

  /// Exactly these keys, and perhaps `optional`; what format 1 does not know might matter, so it is
  /// not passed over.
  Result<void> expect_keys(std::initializer_list<std::string_view> keys,
                           std::string_view optional = {}) const {
    if (!json_.is_object()) return wrong("is no object");
    for (const std::string_view key : keys) {
      if (!json_.contains(key)) return wrong(fmt::format("has no \"{}\"", key));
    }
    for (const auto& member : json_.items()) {
      if (!optional.empty() && member.key() == optional) continue;
      if (std::find(keys.begin(), keys.end(), member.key()) == keys.end()) {
        return wrong(fmt::format("has an unknown key \"{:.60}\"", member.key()));
      }
    }
    return {};
  }
  bool has(std::string_view key) const { return json_.is_object() && json_.contains(key); }
  Node at(std::string_view key) const { return {*json_.find(key), *this, key}; }

  /// A string, or an array of the pieces of a long one.
  Result<std::string> text() const {
    if (json_.is_string()) return json_.get_ref<const std::string&>();
    if (!json_.is_array()) return wrong("is no text");
    std::string whole;
    for (const Json& piece : json_) {
      if (!piece.is_string()) return wrong("is no text");
      whole += piece.get_ref<const std::string&>();
    }
    return whole;
  }
  Result<std::uint64_t> count() const {
    if (!json_.is_number_unsigned()) return wrong("is no count");
    return json_.get<std::uint64_t>();
  }
  Result<std::int64_t> integer() const {
    if (!json_.is_number_integer()) return wrong("is no whole number");
    return json_.get<std::int64_t>();
  }
  Result<int> small() const {
    const std::uint64_t value = SR_TRY(count());
    if (value > 0x7fffffffU) return wrong("is too large");
    return static_cast<int>(value);
  }
  Result<bool> boolean() const {
    if (!json_.is_boolean()) return wrong("is neither true nor false");
    return json_.get<bool>();
  }
  Result<std::string> base64() const {
    if (!json_.is_string()) return wrong("is no text");
    Result<std::string> bytes = base64_decode(json_.get_ref<const std::string&>());
    if (!bytes) return wrong("is no base64");
    return bytes;
  }
  template <typename Id>
  Result<Id> id128() const {
    const std::string digits = SR_TRY(text());
    const Result<std::array<std::uint8_t, 16>> bytes = parse_hex128(digits, "id");
    if (!bytes || hex_of(*bytes) != digits) return wrong("is not 32 lower-case hex digits");
    return Id(*bytes);
  }
  /// Calls `read(node, index)` for each element.
  template <typename Read>
  Result<void> each(Read read) const {
    if (!json_.is_array()) return wrong("is no list");
    std::size_t index = 0;
    for (const Json& element : json_) {
      SR_TRY(read(Node(element, *this, index)));
      ++index;
    }
    return {};
  }
  template <typename Read>
  Result<void> each_member(Read read) const {
    if (!json_.is_object()) return wrong("is no object");
    for (const auto& member : json_.items()) {
      SR_TRY(read(member.key(), Node(member.value(), *this, std::string_view(member.key()))));
    }
    return {};
  }
  std::size_t index() const { return index_.value_or(0); }
  std::size_t size() const { return json_.size(); }

 private:
  const Json& json_;
  const Node* parent_ = nullptr;
  std::string_view key_;
  std::optional<std::size_t> index_;
};

struct FileRow {
  StateFile file;
  bool used = false;
};
using FileTable = std::map<std::string, FileRow>;

Result<std::vector<std::uint32_t>> read_checksums(const Node& node) {
  std::vector<std::uint32_t> checksums;
  SR_TRY(node.each([&](const Node& element) -> Result<void> {
    const std::uint64_t value = SR_TRY(element.count());
    if (value > 0xffffffffU) return element.wrong("is no CRC-32C");
    checksums.push_back(static_cast<std::uint32_t>(value));
    return {};
  }));
  return checksums;
}

// Below, members are set one by one: g++ 12 loses those already made when SR_TRY leaves a braced
// list.

Result<void> read_file(const Node& node, FileTable& table) {
  SR_TRY(node.expect_keys({"path", "length", "crc32c", "xxh3"}));
  StateFile file;
  file.path = SR_TRY(node.at("path").text());
  file.length = SR_TRY(node.at("length").count());
  file.crc32c = SR_TRY(read_checksums(node.at("crc32c")));
  file.xxh3 = SR_TRY(node.at("xxh3").text());
  const std::string path = file.path;
  if (!table.emplace(path, FileRow{.file = std::move(file)}).second) {
    return node.wrong("names a file that stands in the table already");
  }
  return {};
}

Result<StateDescription> read_description(const Node& node) {
  SR_TRY(node.expect_keys({"name", "kind", "key_type", "namespace_type", "value_type"}));
  StateDescription state;
  state.name = SR_TRY(node.at("name").text());
  state.kind = SR_TRY(node.at("kind").text());
  state.key_type = SR_TRY(node.at("key_type").text());
  state.namespace_type = SR_TRY(node.at("namespace_type").text());
  state.value_type = SR_TRY(node.at("value_type").text());
  return state;
}

Result<KeyGroupRange> read_range(const Node& node) {
  std::vector<int> ends;
  SR_TRY(node.each([&](const Node& element) -> Result<void> {
    ends.push_back(SR_TRY(element.small()));
    return {};
  }));
  if (ends.size() != 2) return node.wrong("is no pair of key groups");
  return KeyGroupRange{.first = ends[0], .last = ends[1]};
}

/// Where `read_data` finds it.
std::string_view name_of_data(const Node& node) {
  return node.has("base64") ? "base64" : "file";
}

Result<StateHandle> read_data(const Node& node, FileTable& table) {
  StateHandle data;
  if (node.has("base64")) {
    data.inline_bytes = SR_TRY(node.at("base64").base64());
    return data;
  }
  const std::string path = SR_TRY(node.at("file").text());
  const auto row = table.find(path);
  if (row == table.end()) return node.wrong("names a file that is not in the table");
  row->second.used = true;
  data.file = row->second.file;
  return data;
}

Result<SstFile> read_sst(const Node& node) {
  SR_TRY(node.expect_keys({"state", "key_groups", "level", "sequence"}));
  SstFile sst;
  sst.state = SR_TRY(node.at("state").small());
  sst.key_groups = SR_TRY(read_range(node.at("key_groups")));
  sst.level = SR_TRY(node.at("level").small());
  std::vector<std::uint64_t> ends;
  SR_TRY(node.at("sequence").each([&](const Node& element) -> Result<void> {
    ends.push_back(SR_TRY(element.count()));
    return {};
  }));
  if (ends.size() != 2) return node.at("sequence").wrong("is no pair of sequence numbers");
  sst.smallest_sequence = ends[0];
  sst.largest_sequence = ends[1];
  return sst;
}

Result<StateHandle> read_piece(const Node& node, FileTable& table) {
  SR_TRY(node.expect_keys({name_of_data(node)}, "sst"));
  StateHandle piece = SR_TRY(read_data(node, table));
  if (node.has("sst")) piece.sst = SR_TRY(read_sst(node.at("sst")));
  return piece;
}

Result<KeyedStateHandle> read_keyed(const Node& node, FileTable& table) {
  const std::string_view where = node.has("pieces") ? "pieces" : name_of_data(node);
  SR_TRY(node.expect_keys({"key_groups", "entries", "states", where}));
  KeyedStateHandle handle;
  handle.key_groups = SR_TRY(read_range(node.at("key_groups")));
  handle.entries = SR_TRY(node.at("entries").count());
  if (where == "pieces") {
    SR_TRY(node.at("pieces").each([&](const Node& element) -> Result<void> {
      handle.pieces.push_back(SR_TRY(read_piece(element, table)));
      return {};
    }));
  } else {
    handle.pieces.push_back(SR_TRY(read_data(node, table)));
  }
  SR_TRY(node.at("states").each([&](const Node& element) -> Result<void> {
    handle.states.push_back(SR_TRY(read_description(element)));
    return {};
  }));
  return handle;
}

Result<OperatorListState> read_list(const Node& node) {
  SR_TRY(node.expect_keys({"name", "type", "redistribution", "elements_base64"}));
  OperatorListState list;
  list.name = SR_TRY(node.at("name").text());
  list.type = SR_TRY(node.at("type").text());
  const std::string how = SR_TRY(node.at("redistribution").text());
  const auto known = std::find(kRedistributionNames.begin(), kRedistributionNames.end(), how);
  if (known == kRedistributionNames.end()) return node.at("redistribution").wrong("is unknown");
  list.redistribution = static_cast<Redistribution>(known - kRedistributionNames.begin());
  SR_TRY(node.at("elements_base64").each([&](const Node& element) -> Result<void> {
    list.elements.push_back(SR_TRY(element.base64()));
    return {};
  }));
  return list;
}

Result<InFlightHandle> read_in_flight(const Node& node, FileTable& table) {
  const std::string_view where = name_of_data(node);
  SR_TRY(node.expect_keys({"upstream", "mapper", "type", "records", where}));
  InFlightHandle handle;
  handle.upstream = SR_TRY(node.at("upstream").id128<OperatorId>());
  const std::string mapper = SR_TRY(node.at("mapper").text());
  const auto known = std::find(kMapperNames.begin(), kMapperNames.end(), mapper);
  if (known == kMapperNames.end()) return node.at("mapper").wrong("is unknown");
  handle.mapper = static_cast<SubtaskStateMapper>(known - kMapperNames.begin());
  handle.type = SR_TRY(node.at("type").text());
  handle.records = SR_TRY(node.at("records").count());
  handle.data = SR_TRY(read_data(node, table));
  return handle;
}

Result<OperatorSubtaskState> read_subtask(const Node& node, FileTable& table) {
  SR_TRY(node.expect_keys({"index", "keyed", "lists"}, "in_flight"));
  if (SR_TRY(node.at("index").count()) != node.index()) return node.wrong("is out of place");
  OperatorSubtaskState subtask;
  SR_TRY(node.at("keyed").each([&](const Node& element) -> Result<void> {
    subtask.keyed.push_back(SR_TRY(read_keyed(element, table)));
    return {};
  }));
  SR_TRY(node.at("lists").each([&](const Node& element) -> Result<void> {
    subtask.lists.push_back(SR_TRY(read_list(element)));
    return {};
  }));
  if (!node.has("in_flight")) return subtask;
  SR_TRY(node.at("in_flight").each([&](const Node& element) -> Result<void> {
    subtask.in_flight.push_back(SR_TRY(read_in_flight(element, table)));
    return {};
  }));
  return subtask;
}

Result<OperatorSnapshot> read_operator(const Node& node, FileTable& table) {
  SR_TRY(node.expect_keys(
      {"id", "uid", "name", "parallelism", "max_parallelism", "coordinator_base64", "subtasks"}));
  OperatorSnapshot snapshot;
  snapshot.id = SR_TRY(node.at("id").id128<OperatorId>());
  snapshot.uid = SR_TRY(node.at("uid").text());
  snapshot.name = SR_TRY(node.at("name").text());
  snapshot.parallelism = SR_TRY(node.at("parallelism").small());
  snapshot.max_parallelism = SR_TRY(node.at("max_parallelism").small());
  snapshot.coordinator_state = SR_TRY(node.at("coordinator_base64").base64());
  SR_TRY(node.at("subtasks").each([&](const Node& element) -> Result<void> {
    snapshot.subtasks.push_back(SR_TRY(read_subtask(element, table)));
    return {};
  }));
  return snapshot;
}

Result<SnapshotKind> read_kind(const Node& node) {
  const std::string kind = SR_TRY(node.text());
  if (kind == "checkpoint") return SnapshotKind::checkpoint;
  if (kind == "savepoint") return SnapshotKind::savepoint;
  return node.wrong("is neither checkpoint nor savepoint");
}

Result<SubtaskStatistics> read_subtask_statistics(const Node& node) {
  SR_TRY(node.expect_keys({"task", "acknowledged_unix_ms", "start_delay_ms", "alignment_ms",
                           "sync_ms", "async_ms", "full_bytes", "new_bytes", "in_flight_bytes"},
                          "unaligned"));
  SubtaskStatistics subtask;
  subtask.task = SR_TRY(node.at("task").text());
  subtask.acknowledged_unix_ms = SR_TRY(node.at("acknowledged_unix_ms").integer());
  subtask.start_delay_ms = SR_TRY(node.at("start_delay_ms").integer());
  subtask.alignment_ms = SR_TRY(node.at("alignment_ms").integer());
  subtask.sync_ms = SR_TRY(node.at("sync_ms").integer());
  subtask.async_ms = SR_TRY(node.at("async_ms").integer());
  subtask.full_bytes = SR_TRY(node.at("full_bytes").count());
  subtask.new_bytes = SR_TRY(node.at("new_bytes").count());
  subtask.in_flight_bytes = SR_TRY(node.at("in_flight_bytes").count());
  if (node.has("unaligned")) subtask.unaligned = SR_TRY(node.at("unaligned").boolean());
  return subtask;
}

Result<CheckpointStatistics> read_statistics(const Node& node) {
  SR_TRY(
      node.expect_keys({"id", "kind", "triggered_unix_ms", "took_ms", "full_bytes", "new_bytes",
                        "in_flight_bytes", "acknowledged", "subtasks", "failure", "by_subtask"}));
  CheckpointStatistics statistics;
  statistics.id = SR_TRY(node.at("id").integer());
  statistics.kind = SR_TRY(read_kind(node.at("kind")));
  statistics.triggered_unix_ms = SR_TRY(node.at("triggered_unix_ms").integer());
  statistics.took_ms = SR_TRY(node.at("took_ms").integer());
  statistics.full_bytes = SR_TRY(node.at("full_bytes").count());
  statistics.new_bytes = SR_TRY(node.at("new_bytes").count());
  statistics.in_flight_bytes = SR_TRY(node.at("in_flight_bytes").count());
  statistics.acknowledged = SR_TRY(node.at("acknowledged").small());
  statistics.subtasks = SR_TRY(node.at("subtasks").small());
  statistics.failure = SR_TRY(node.at("failure").text());
  SR_TRY(node.at("by_subtask").each([&](const Node& element) -> Result<void> {
    statistics.by_subtask.push_back(SR_TRY(read_subtask_statistics(element)));
    return {};
  }));
  return statistics;
}

Result<void> read_arguments(const Node& node, CheckpointMetadata& metadata) {
  return node.each([&](const Node& element) -> Result<void> {
    SR_TRY(element.expect_keys({"name", "value"}));
    std::string name = SR_TRY(element.at("name").text());
    std::string value = SR_TRY(element.at("value").text());
    metadata.arguments.emplace_back(std::move(name), std::move(value));
    return {};
  });
}

Result<void> read_head(const Node& node, CheckpointMetadata& metadata) {
  metadata.kind = SR_TRY(read_kind(node.at("kind")));
  metadata.id = SR_TRY(node.at("id").integer());
  metadata.attempt = SR_TRY(node.at("attempt").text());
  metadata.job_id = SR_TRY(node.at("job_id").id128<JobId>());
  metadata.family_id = SR_TRY(node.at("family_id").id128<JobId>());
  metadata.job_name = SR_TRY(node.at("job_name").text());
  metadata.registered_name = SR_TRY(node.at("registered_name").text());
  SR_TRY(read_arguments(node.at("arguments"), metadata));
  metadata.parallelism = SR_TRY(node.at("parallelism").small());
  metadata.plan = SR_TRY(node.at("plan").text());
  SR_TRY(node.at("configuration")
             .each_member([&](const std::string& key, const Node& value) -> Result<void> {
               metadata.configuration[key] = SR_TRY(value.text());
               return {};
             }));
  metadata.restored_from = SR_TRY(node.at("restored_from").text());
  metadata.triggered_unix_ms = SR_TRY(node.at("triggered_unix_ms").integer());
  metadata.completed_unix_ms = SR_TRY(node.at("completed_unix_ms").integer());
  metadata.version = SR_TRY(node.at("version").text());
  return {};
}

Result<CheckpointMetadata> read_document(const Node& node) {
  SR_TRY(node.expect_keys(
      {"magic", "format", "kind", "id", "attempt", "job_id", "family_id", "job_name",
       "registered_name", "arguments", "parallelism", "plan", "configuration", "restored_from",
       "triggered_unix_ms", "completed_unix_ms", "version", "files", "operators"},
      "history"));
  CheckpointMetadata metadata;
  SR_TRY(read_head(node, metadata));
  if (node.has("history")) {
    SR_TRY(node.at("history").each([&](const Node& element) -> Result<void> {
      metadata.history.push_back(SR_TRY(read_statistics(element)));
      return {};
    }));
  }
  FileTable table;
  SR_TRY(node.at("files").each([&](const Node& element) { return read_file(element, table); }));
  SR_TRY(node.at("operators").each([&](const Node& element) -> Result<void> {
    metadata.operators.push_back(SR_TRY(read_operator(element, table)));
    return {};
  }));
  for (const auto& [path, row] : table) {
    if (!row.used) return damaged(fmt::format("no state refers to the file \"{:.200}\"", path));
  }
  return metadata;
}

/// The document without its footer, once the footer has vouched for it.
Result<std::string_view> checked_body(std::string_view bytes) {
  const std::size_t last_line =
      bytes.ends_with('\n') ? bytes.rfind('\n', bytes.size() - 2) : std::string_view::npos;
  if (last_line == std::string_view::npos) {
    return damaged(
        fmt::format("cut short at byte {}: it does not end with a footer", bytes.size()));
  }
  const std::string_view body = bytes.substr(0, last_line + 1);
  const std::string_view footer = bytes.substr(body.size());
  if (footer == footer_of(body)) return body;
  if (!footer.starts_with("{\"length\":")) {
    return damaged(
        fmt::format("no footer at byte {}: cut short or something was added", body.size()));
  }
  if (!footer.starts_with(fmt::format("{{\"length\":{},", body.size()))) {
    return damaged(fmt::format("the footer at byte {} tells another length", body.size()));
  }
  return damaged(fmt::format("checksum {} of bytes 0 to {}, the footer tells another",
                             xxh3_128_hex(body), body.size()));
}

Result<void> check_format(std::string_view body) {
  const std::string_view digits = body.substr(kPrefix.size());
  std::uint64_t format = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), format);
  if (problem != std::errc() || end == digits.data() + digits.size() || *end != ',') {
    return damaged(fmt::format("no format number at byte {}", kPrefix.size()));
  }
  if (format == static_cast<std::uint64_t>(kMetadataFormat)) return {};
  return Error{
      .code = ErrorCode::metadata_version,
      .message = fmt::format("the checkpoint has format {}, this streamrun reads format {}", format,
                             kMetadataFormat),
      .tries = {"resume it with the streamrun that wrote it, or a later one"},
      .retry = Retry::no};
}

}  // namespace

Result<CheckpointMetadata> decode(std::string_view bytes) {
  if (bytes.size() > kMetadataLimitBytes) {
    return Error{.code = ErrorCode::metadata_limit,
                 .message = fmt::format("the checkpoint metadata has {} bytes, at most {} are read",
                                        bytes.size(), kMetadataLimitBytes),
                 .retry = Retry::no};
  }
  if (bytes.empty()) return damaged("it is empty");
  if (!bytes.starts_with(kPrefix)) {
    return damaged("not a checkpoint: it does not start as streamrun's metadata does");
  }
  const std::string_view body = SR_TRY(checked_body(bytes));
  SR_TRY(check_format(body));
  const Json document = SR_TRY(parse_checked_json(body));
  CheckpointMetadata metadata = SR_TRY(read_document(Node(document)));
  SR_TRY(check_structure(metadata));
  return metadata;
}

}  // namespace streamrun
