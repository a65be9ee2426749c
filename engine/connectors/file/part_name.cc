#include <streamrun/base/bytes.h>
#include <streamrun/connectors/file/part_name.h>

#include <algorithm>
#include <charconv>

namespace streamrun {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kStart = "part-";
constexpr std::string_view kEnding = ".inprogress";
constexpr std::size_t kJobIdDigits = 32;
constexpr std::size_t kOperatorDigits = 8;

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// Takes what stands before the next `-` off `rest`.
std::string_view take_part(std::string_view& rest) {
  const std::string_view part = rest.substr(0, rest.find('-'));
  rest.remove_prefix(std::min(part.size() + 1, rest.size()));
  return part;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string operator_prefix_of(const OperatorId& id) {
  return to_string(id).substr(0, kOperatorDigits);
}

std::string finished_name_of(const PartName& part) {
  return std::string(kStart) + part.job_id + "-" + part.operator_prefix + "-" +
         std::to_string(part.subtask) + "-" + part.attempt + "-" + std::to_string(part.number);
}

std::string hidden_name_of(std::string_view finished_name) {
  return "." + std::string(finished_name) + std::string(kEnding);
}

std::optional<PartName> parse_finished_name(std::string_view name) {
  if (!name.starts_with(kStart)) return std::nullopt;
  std::string_view rest = name.substr(kStart.size());
  const std::string_view job_id = take_part(rest);
  const std::string_view operator_prefix = take_part(rest);
  const std::optional<std::uint64_t> subtask = parse_number(take_part(rest));
  const std::size_t last_dash = rest.rfind('-');  // an attempt may have dashes of its own
  if (last_dash == std::string_view::npos || !subtask) return std::nullopt;
  const std::optional<std::uint64_t> number = parse_number(rest.substr(last_dash + 1));
  if (!number || job_id.size() != kJobIdDigits || operator_prefix.size() != kOperatorDigits)
    return std::nullopt;
  if (!is_hex(job_id) || !is_hex(operator_prefix)) return std::nullopt;
  PartName part = {.job_id = std::string(job_id),
                   .operator_prefix = std::string(operator_prefix),
                   .subtask = *subtask,
                   .attempt = std::string(rest.substr(0, last_dash)),
                   .number = *number};
  if (finished_name_of(part) != name) return std::nullopt;  // `007` is no number of ours
  return part;
}

std::optional<PartName> parse_hidden_name(std::string_view name) {
  const bool is_hidden =
      name.starts_with('.') && name.ends_with(kEnding) && name.size() > kEnding.size();
  if (!is_hidden) return std::nullopt;
  return parse_finished_name(name.substr(1, name.size() - 1 - kEnding.size()));
}

std::string encode_committable(const PartCommittable& committable) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(kVersion);
  out.text(committable.folder);
  out.text(committable.finished_name);
  out.varint(committable.length);
  out.text(committable.xxh3);
  return bytes;
}

Result<PartCommittable> decode_committable(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  PartCommittable committable;
  committable.folder = in.text();
  committable.finished_name = in.text();
  committable.length = in.varint();
  committable.xxh3 = in.text();
  const bool names_a_part = parse_finished_name(committable.finished_name) &&
                            committable.finished_name.find('/') == std::string::npos;
  if (version == kVersion && in.done() && names_a_part && !committable.folder.empty())
    return committable;
  return Error{
      .code = ErrorCode::state_corrupt,
      .message = "the record of a prepared output file is damaged, or of an unknown version",
      .where = "version " + std::to_string(version),
      .retry = Retry::no};
}

}  // namespace streamrun
