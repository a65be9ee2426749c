#include <streamrun/formats/json_decoder.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <simdjson.h>

// simdjson (Langdale and Lemire, "Parsing gigabytes of JSON per second", 2019). Its DOM parser,
// because that chooses its instructions when it runs; the on-demand one has those of the build.

namespace streamrun {
namespace {

namespace dom = simdjson::dom;

Error bad(std::string message, std::string why = {}) {
  return {.code = ErrorCode::job_failed,
          .message = std::move(message),
          .why = std::move(why),
          .retry = Retry::no};
}
Error not_json(simdjson::error_code error) {
  return bad("the record is not JSON", simdjson::error_message(error));
}
Error wrong(const std::string& name, const char* type, std::string_view found) {
  return bad("field \"" + name + "\" of a record is not " + type,
             "it is " + std::string(found.substr(0, 64)));
}

/// Of more fields than this it is not told which are missing.
constexpr std::size_t kMostFields = 256;

std::string text_of(const dom::element& element) {
  return simdjson::minify(element);
}

/// Nothing for an object or array.
std::optional<JsonScalar> scalar_of(const dom::element& element) {
  JsonScalar scalar;
  switch (element.type()) {
    case dom::element_type::NULL_VALUE:
      return scalar;
    case dom::element_type::BOOL:
      scalar.kind = JsonScalar::Kind::boolean;
      scalar.boolean = element.get_bool().value_unsafe();
      return scalar;
    case dom::element_type::INT64:
      scalar.kind = JsonScalar::Kind::integer;
      scalar.integer = element.get_int64().value_unsafe();
      return scalar;
    case dom::element_type::UINT64:
      scalar.kind = JsonScalar::Kind::natural;
      scalar.natural = element.get_uint64().value_unsafe();
      return scalar;
    case dom::element_type::DOUBLE:
      scalar.kind = JsonScalar::Kind::real;
      scalar.real = element.get_double().value_unsafe();
      return scalar;
    case dom::element_type::STRING:
      scalar.kind = JsonScalar::Kind::text;
      scalar.text = element.get_string().value_unsafe();
      return scalar;
    default:
      return std::nullopt;
  }
}

Result<void> fill(const dom::object& object, const JsonFields& fields, void* record);

Result<void> fill(const dom::element& element, const JsonFields::Field& field, void* record) {
  void* const place = static_cast<char*>(record) + field.offset;
  if (field.nested == nullptr) {
    const std::optional<JsonScalar> scalar = scalar_of(element);
    if (scalar && field.assign(place, *scalar)) return {};
    return wrong(field.name, field.type, text_of(element));
  }
  if (element.is_null() && field.make_null != nullptr) {
    field.make_null(place);
    return {};
  }
  dom::object inner;
  if (element.get_object().get(inner) != simdjson::SUCCESS)
    return wrong(field.name, field.type, text_of(element));
  return fill(inner, *field.nested, field.make(place));
}

Result<void> fill(const dom::object& object, const JsonFields& fields, void* record) {
  std::array<bool, kMostFields> seen{};
  std::size_t next = 0;  // most writers keep one order
  for (const dom::key_value_pair& each : object) {
    std::size_t found = next;
    if (found >= fields.fields.size() || fields.fields[found].name != each.key) {
      found = 0;
      while (found < fields.fields.size() && fields.fields[found].name != each.key) ++found;
    }
    if (found == fields.fields.size()) continue;
    SR_TRY(fill(each.value, fields.fields[found], record));
    if (found < kMostFields) seen[found] = true;
    next = found + 1;
  }
  for (std::size_t i = 0; i < fields.fields.size() && i < kMostFields; ++i) {
    if (!seen[i] && !fields.fields[i].may_be_missing)
      return bad("field \"" + fields.fields[i].name + "\" of a record is missing");
  }
  return {};
}

}  // namespace

struct JsonParser::State {
  dom::parser parser;
  std::string padded;
};

JsonParser::JsonParser() : state_(std::make_unique<State>()) {}
JsonParser::JsonParser(JsonParser&&) noexcept = default;
JsonParser& JsonParser::operator=(JsonParser&&) noexcept = default;
JsonParser::~JsonParser() = default;

Result<void> JsonParser::parse(std::string_view text, const JsonFields& fields, void* record) {
  // The parser reads whole registers, over the end too.
  std::string& padded = state_->padded;
  if (padded.size() < text.size() + simdjson::SIMDJSON_PADDING)
    padded.resize(2 * text.size() + simdjson::SIMDJSON_PADDING);
  text.copy(padded.data(), text.size());
  std::fill_n(padded.data() + text.size(), simdjson::SIMDJSON_PADDING, ' ');
  dom::element root;
  const auto error =
      state_->parser.parse(padded.data(), text.size(), /*realloc_if_needed=*/false).get(root);
  if (error != simdjson::SUCCESS) return not_json(error);
  dom::object object;
  if (root.get_object().get(object) != simdjson::SUCCESS)
    return bad("the record is not an object of JSON", "it is " + text_of(root).substr(0, 64));
  return fill(object, fields, record);
}

}  // namespace streamrun
