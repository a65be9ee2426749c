#pragma once

#include <streamrun/base/bytes.h>
#include <streamrun/types/type_descriptor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace streamrun {

/// How bytes of one type become those of another, where that loses nothing but what the other no
/// longer has. The old type drives the reading. At any depth:
///   - of a struct that names its fields some may be new, if they have a default, which they get;
///     some may be gone, if their types are of this engine, so that they can be read over; and the
///     order may be another;
///   - a time to live may have come or gone: a timestamp is put before a value, or dropped.
/// Everything else has to be the same: another type of a field, another struct without names, the
/// keys of a map. Immutable; any thread.
class TypeMigration {
 public:
  /// Nothing if the one can't be read as the other.
  static std::optional<TypeMigration> between(const TypeDescriptor& old,
                                              const TypeDescriptor& wanted);

  /// Reads one old value and appends it as one of the wanted type; `now` is the timestamp (in
  /// milliseconds) of what had none. `in.failed()` on damage; what was appended is nothing then.
  void rewrite(ByteReader& in, ByteWriter& out, std::int64_t now) const;

 private:
  struct Step;
  struct Builder;
  explicit TypeMigration(std::shared_ptr<const Step> root) : root_(std::move(root)) {}

  std::shared_ptr<const Step> root_;
};

/// Whether state of a type with the name `old` can be restored as one with the name `wanted`: what
/// `between` says, for who has only the names.
bool type_fits(std::string_view old, std::string_view wanted);

}  // namespace streamrun
