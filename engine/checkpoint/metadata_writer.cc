#include <streamrun/base/assert.h>
#include <streamrun/base/bytes.h>
#include <streamrun/base/strings.h>
#include <streamrun/checkpoint/metadata_format.h>
#include <streamrun/checkpoint/snapshot_files.h>
#include <streamrun/checkpoint/statistics_json.h>

#include <map>

#include <nlohmann/json.hpp>

#include "metadata_layout.h"

namespace streamrun {
namespace {

using Json = nlohmann::json;

/// Writes JSON with one member a line, so that `diff` and `grep` help too.
class JsonWriter {
 public:
  void begin(char bracket) {
    separate();
    out_ += bracket;
    first_ = true;
    ++depth_;
  }
  void begin(std::string_view key, char bracket) {
    name(key);
    begin(bracket);
  }
  void end(char bracket) {
    --depth_;
    if (!first_) new_line();
    out_ += bracket;
    first_ = false;
  }
  void text(std::string_view key, std::string_view value) {
    name(key);
    text(value);
  }
  void number(std::string_view key, std::uint64_t value) { raw(key, std::to_string(value)); }
  void number(std::string_view key, std::int64_t value) { raw(key, std::to_string(value)); }
  void number(std::string_view key, int value) { raw(key, std::to_string(value)); }
  void raw(std::string_view key, std::string_view json) {
    name(key);
    separate();
    out_ += json;
  }
  /// Base64 needs no escapes.
  void base64(std::string_view bytes) {
    separate();
    out_ += '"';
    out_ += base64_encode(bytes);
    out_ += '"';
  }
  void base64(std::string_view key, std::string_view bytes) {
    name(key);
    base64(bytes);
  }
  void element(std::string_view json) {
    separate();
    out_ += json;
  }
  std::string take() && { return std::move(out_); }

 private:
  /// A text above the limit of one string becomes an array of its pieces, cut anywhere between
  /// characters.
  void text(std::string_view value) {
    const std::string good = utf8(value);
    if (good.size() <= kStringLimitBytes) {
      separate();
      out_ += quoted(good);
      return;
    }
    begin('[');
    for (std::size_t at = 0; at < good.size();) {
      std::size_t end = std::min(good.size(), at + kStringLimitBytes);
      while (end < good.size() && (static_cast<unsigned char>(good[end]) & 0xc0U) == 0x80U) --end;
      separate();
      out_ += quoted(good.substr(at, end - at));
      at = end;
    }
    end(']');
  }
  static std::string quoted(const std::string& value) {
    return Json(value).dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  static std::string utf8(std::string_view value) {
    if (is_valid_utf8(value)) return std::string(value);
    return Json::parse(quoted(std::string(value))).get<std::string>();
  }
  void name(std::string_view key) {
    separate();
    out_ += quoted(std::string(key));
    out_ += ": ";
    after_name_ = true;
  }
  void separate() {
    if (after_name_) {
      after_name_ = false;
      return;
    }
    if (!first_) out_ += ',';
    first_ = false;
    if (depth_ > 0) new_line();
  }
  void new_line() {
    out_ += '\n';
    out_.append(depth_, ' ');
  }

  std::string out_;
  std::size_t depth_ = 0;
  bool first_ = true;
  bool after_name_ = false;
};

std::string_view text_of(SnapshotKind kind) {
  return kind == SnapshotKind::checkpoint ? "checkpoint" : "savepoint";
}

std::string_view text_of(Redistribution redistribution) {
  return kRedistributionNames.at(static_cast<std::size_t>(redistribution));
}

std::string list_of(const std::vector<std::uint32_t>& values) {
  std::string text = "[";
  for (const std::uint32_t value : values) {
    if (text.size() > 1) text += ',';
    text += std::to_string(value);
  }
  return text + "]";
}

void write_head(JsonWriter& json, const CheckpointMetadata& metadata) {
  json.text("kind", text_of(metadata.kind));
  json.number("id", metadata.id);
  json.text("attempt", metadata.attempt);
  json.text("job_id", to_string(metadata.job_id));
  json.text("family_id", to_string(metadata.family_id));
  json.text("job_name", metadata.job_name);
  json.text("registered_name", metadata.registered_name);
  json.begin("arguments", '[');
  for (const auto& [name, value] : metadata.arguments) {
    json.begin('{');
    json.text("name", name);
    json.text("value", value);
    json.end('}');
  }
  json.end(']');
  json.number("parallelism", metadata.parallelism);
  json.text("plan", metadata.plan);
  json.begin("configuration", '{');
  for (const auto& [key, value] : metadata.configuration) json.text(key, value);
  json.end('}');
  json.text("restored_from", metadata.restored_from);
  json.number("triggered_unix_ms", metadata.triggered_unix_ms);
  json.number("completed_unix_ms", metadata.completed_unix_ms);
  json.text("version", metadata.version);
}

void write_files(JsonWriter& json, const CheckpointMetadata& metadata) {
  json.begin("files", '[');
  for (const StateFile* file : files_of(metadata)) {
    json.begin('{');
    json.text("path", file->path);
    json.number("length", file->length);
    json.raw("crc32c", list_of(file->crc32c));
    json.text("xxh3", file->xxh3);
    json.end('}');
  }
  json.end(']');
}

void write_data(JsonWriter& json, const StateHandle& data) {
  if (data.file) {
    json.text("file", data.file->path);
  } else {
    json.base64("base64", data.inline_bytes);
  }
}

template <typename T>
std::string pair_of(T first, T last) {
  return "[" + std::to_string(first) + "," + std::to_string(last) + "]";
}

void write_sst(JsonWriter& json, const SstFile& sst) {
  json.begin("sst", '{');
  json.number("state", sst.state);
  json.raw("key_groups", pair_of(sst.key_groups.first, sst.key_groups.last));
  json.number("level", sst.level);
  json.raw("sequence", pair_of(sst.smallest_sequence, sst.largest_sequence));
  json.end('}');
}

void write_keyed(JsonWriter& json, const KeyedStateHandle& handle) {
  json.begin('{');
  json.raw("key_groups", pair_of(handle.key_groups.first, handle.key_groups.last));
  json.number("entries", handle.entries);
  json.begin("states", '[');
  for (const StateDescription& state : handle.states) {
    json.begin('{');
    json.text("name", state.name);
    json.text("kind", state.kind);
    json.text("key_type", state.key_type);
    json.text("namespace_type", state.namespace_type);
    json.text("value_type", state.value_type);
    json.end('}');
  }
  json.end(']');
  if (handle.pieces.size() == 1 && !handle.pieces.front().sst) {
    write_data(json, handle.pieces.front());
  } else {
    json.begin("pieces", '[');
    for (const StateHandle& piece : handle.pieces) {
      json.begin('{');
      write_data(json, piece);
      if (piece.sst) write_sst(json, *piece.sst);
      json.end('}');
    }
    json.end(']');
  }
  json.end('}');
}

void write_in_flight(JsonWriter& json, const InFlightHandle& handle) {
  json.begin('{');
  json.text("upstream", to_string(handle.upstream));
  json.text("mapper", kMapperNames.at(static_cast<std::size_t>(handle.mapper)));
  json.text("type", handle.type);
  json.number("records", handle.records);
  write_data(json, handle.data);
  json.end('}');
}

void write_list(JsonWriter& json, const OperatorListState& list) {
  json.begin('{');
  json.text("name", list.name);
  json.text("type", list.type);
  json.text("redistribution", text_of(list.redistribution));
  json.begin("elements_base64", '[');
  for (const std::string& element : list.elements) json.base64(element);
  json.end(']');
  json.end('}');
}

void write_operator(JsonWriter& json, const OperatorSnapshot& snapshot) {
  json.begin('{');
  json.text("id", to_string(snapshot.id));
  json.text("uid", snapshot.uid);
  json.text("name", snapshot.name);
  json.number("parallelism", snapshot.parallelism);
  json.number("max_parallelism", snapshot.max_parallelism);
  json.base64("coordinator_base64", snapshot.coordinator_state);
  json.begin("subtasks", '[');
  for (std::size_t index = 0; index < snapshot.subtasks.size(); ++index) {
    json.begin('{');
    json.number("index", static_cast<std::uint64_t>(index));
    json.begin("keyed", '[');
    for (const KeyedStateHandle& handle : snapshot.subtasks[index].keyed) write_keyed(json, handle);
    json.end(']');
    json.begin("lists", '[');
    for (const OperatorListState& list : snapshot.subtasks[index].lists) write_list(json, list);
    json.end(']');
    const std::vector<InFlightHandle>& in_flight = snapshot.subtasks[index].in_flight;
    if (!in_flight.empty()) {
      json.begin("in_flight", '[');
      for (const InFlightHandle& handle : in_flight) write_in_flight(json, handle);
      json.end(']');
    }
    json.end('}');
  }
  json.end(']');
  json.end('}');
}

/// R6: one file name, one content. The table has one row a path, so states that share a file must
/// agree on it.
void assert_files_agree(const CheckpointMetadata& metadata) {
  std::map<std::string_view, const StateFile*> by_path;
  for (const OperatorSnapshot& snapshot : metadata.operators) {
    for (const OperatorSubtaskState& subtask : snapshot.subtasks) {
      for_each_data(subtask, [&](const StateHandle& data) {
        if (!data.file) return;
        const auto [row, is_new] = by_path.emplace(data.file->path, &*data.file);
        SR_ASSERT(is_new || *row->second == *data.file, "R6: one file name, one content");
      });
    }
  }
}

}  // namespace

std::string encode(const CheckpointMetadata& metadata) {
  assert_files_agree(metadata);
  JsonWriter json;
  json.begin('{');
  json.text("magic", kMagic);
  json.number("format", kMetadataFormat);
  write_head(json, metadata);
  write_files(json, metadata);
  if (!metadata.history.empty()) {
    json.begin("history", '[');
    for (const CheckpointStatistics& statistics : metadata.history) {
      json.element(
          statistics_as_json(statistics).dump(-1, ' ', false, Json::error_handler_t::replace));
    }
    json.end(']');
  }
  json.begin("operators", '[');
  for (const OperatorSnapshot& snapshot : metadata.operators) write_operator(json, snapshot);
  json.end(']');
  json.end('}');
  std::string bytes = std::move(json).take();
  bytes += '\n';
  bytes += footer_of(bytes);
  return bytes;
}

}  // namespace streamrun
