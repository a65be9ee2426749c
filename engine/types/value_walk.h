#pragma once

#include <streamrun/base/bytes.h>
#include <streamrun/types/type_descriptor.h>

#include <cstddef>
#include <vector>

namespace streamrun {

/// The way from the beginning of a value to its end, known from its type alone.
class ValueWalk {
 public:
  ValueWalk() = default;
  /// Of a type with a serializer that is not of this engine only if the descriptor says how.
  static ValueWalk over(const TypeDescriptor& type);
  static ValueWalk over_fixed(std::size_t bytes);

  /// False if the end can't be found.
  bool is_known() const;
  /// Leaves `in` behind the value; `in.failed()` on damage, or if the way is not known.
  void skip(ByteReader& in) const;

 private:
  enum class Kind { unknown, fixed, text, optional, many, sequence, by_serializer };

  void skip_many(ByteReader& in) const;

  Kind kind_ = Kind::unknown;
  std::size_t bytes_ = 0;  ///< of a fixed one
  void (*serializer_)(ByteReader& in) = nullptr;
  std::vector<ValueWalk> parts_{};
};

}  // namespace streamrun
