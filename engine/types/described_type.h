#pragma once

#include <streamrun/base/bytes.h>
#include <streamrun/base/result.h>

#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// A type as the name that its serializer gives it says (`TypeSerializer<T>::type_name()`, recorded
/// in every snapshot): enough to read values without the code that wrote them. A plain value.
class DescribedType {
 public:
  /// E-META-VERSION for a name that no serializer of this version gives.
  static Result<DescribedType> parse(std::string_view name);

  /// Reads one value and appends it to `json`: a number, `true`, a string, `null` for an optional
  /// without a value, an array for a list, a pair, a tuple or a plain struct, an object for a map
  /// whose keys are strings, else an array of pairs. What JSON has no number for is a string:
  /// `"NaN"`, `"Infinity"`. Bytes that are no UTF-8 become U+FFFD. `in.failed()` on damage.
  void read_as_json(ByteReader& in, std::string& json) const;

  /// Whether values are strings: whoever compares one with what a person wrote need not quote it.
  bool is_string() const { return kind_ == Kind::string; }

 private:
  enum class Kind {
    boolean,
    signed_number,
    unsigned_number,
    real,
    string,
    optional,
    list,
    map,
    row
  };
  class Parser;

  Kind kind_ = Kind::row;
  int bytes_ = 0;                     ///< of a number
  std::vector<DescribedType> parts_;  ///< what it is made of, in order
};

/// A text as JSON writes it, in quotes.
void append_json_string(std::string& json, std::string_view text);

}  // namespace streamrun
