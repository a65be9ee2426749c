#pragma once

#include <streamrun/base/bytes.h>
#include <streamrun/base/result.h>
#include <streamrun/types/type_descriptor.h>

#include <string>
#include <string_view>
#include <vector>

namespace streamrun {

/// A type as the name says that snapshots record (`TypeDescriptor`): enough to read values without
/// the code that wrote them. A plain value.
class DescribedType {
 public:
  /// E-META-VERSION for a name with a serializer that is not of this engine.
  static Result<DescribedType> parse(std::string_view name);

  /// Reads one value and appends it to `json`: a number, `true`, a string (also for bytes, in
  /// base64), `null` for an optional without a value, an array for a list, a pair, a tuple or a
  /// plain struct, an object for a struct that names its fields and for a map whose keys are
  /// strings, an array of pairs for other maps. With a time to live it is an object of `value` and
  /// `last_access_ms`. What JSON has no number for is a string: `"NaN"`, `"Infinity"`. Bytes that
  /// are no UTF-8 become U+FFFD. `in.failed()` on damage.
  void read_as_json(ByteReader& in, std::string& json) const;

 private:
  enum class Kind {
    boolean,
    signed_number,
    unsigned_number,
    real,
    string,
    bytes,
    optional,
    list,
    map,
    with_ttl,
    row,
  };
  static bool describe(const TypeDescriptor& from, DescribedType& type);
  bool describe_simple(std::string_view name);
  bool describe_generic(std::string_view name);
  void read_many_as_json(ByteReader& in, std::string& json) const;

  Kind kind_ = Kind::row;
  int number_bytes_ = 0;
  std::vector<DescribedType> parts_;  ///< what it is made of, in order
  std::vector<std::string> fields_;   ///< names of the parts, if they have some
};

/// A text as JSON writes it, in quotes.
void append_json_string(std::string& json, std::string_view text);

}  // namespace streamrun
