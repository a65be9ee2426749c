#pragma once

#include <streamrun/base/result.h>
#include <streamrun/formats/json_fields.h>

#include <memory>
#include <string>
#include <string_view>

namespace streamrun {

/// Reads objects of JSON into structs. One thread uses it at a time.
class JsonParser {
 public:
  JsonParser();
  JsonParser(JsonParser&&) noexcept;
  JsonParser& operator=(JsonParser&&) noexcept;
  ~JsonParser();

  /// Fills the struct at `record` from `text`, which must be one object and nothing else, and is
  /// copied. Fields of the text that the struct has not are passed over; of a name that comes twice
  /// the last counts. E-JOB-FAILED, with the field and what it should be, if it is not so.
  Result<void> parse(std::string_view text, const JsonFields& fields, void* record);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Records of a struct that names its fields, of JSON text: a field with a default, and an
/// `optional`, may be missing. Numbers must fit; none is rounded to a whole one.
template <NamedStruct T>
class JsonDecoder {
 public:
  /// If it fails, what is in `record` means nothing.
  Result<void> decode(std::string_view text, T& record) {
    record = blank_;
    return parser_.parse(text, fields_, &record);
  }

 private:
  JsonParser parser_;
  const JsonFields& fields_ = json_fields_of<T>();
  T blank_ = json_blank<T>();
};

}  // namespace streamrun
