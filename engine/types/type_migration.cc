#include <streamrun/types/type_migration.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "value_walk.h"

namespace streamrun {

/// What is done with one value, or part of one.
struct TypeMigration::Step {
  enum class Kind { copy, drop, optional, list, map, sequence, record, drop_time, add_time };
  Kind kind = Kind::copy;
  ValueWalk walk{};           ///< over what is copied or dropped
  std::vector<Step> parts{};  ///< of a record: of its old fields, in their order
  /// Of a record: for each wanted field the old one that it comes from, or -1 and its default.
  std::vector<int> from{};
  std::vector<std::string> defaults{};

  void rewrite(ByteReader& in, ByteWriter& out, std::int64_t now) const;

 private:
  void rewrite_many(ByteReader& in, ByteWriter& out, std::int64_t now) const;
  void rewrite_record(ByteReader& in, ByteWriter& out, std::int64_t now) const;
};

void TypeMigration::Step::rewrite(ByteReader& in, ByteWriter& out, std::int64_t now) const {
  switch (kind) {
    case Kind::copy: {
      ByteReader start = in;
      walk.skip(in);
      return out.raw(start.raw(in.failed() ? 0 : in.offset() - start.offset()));
    }
    case Kind::drop:
      return walk.skip(in);
    case Kind::optional: {
      const bool is_there = in.u8() != 0;
      out.u8(is_there ? 1 : 0);
      if (is_there) parts[0].rewrite(in, out, now);
      return;
    }
    case Kind::list:
    case Kind::map:
      return rewrite_many(in, out, now);
    case Kind::sequence:
      for (const Step& part : parts) part.rewrite(in, out, now);
      return;
    case Kind::record:
      return rewrite_record(in, out, now);
    case Kind::drop_time:
      in.i64();
      return parts[0].rewrite(in, out, now);
    case Kind::add_time:
      out.i64(now);
      return parts[0].rewrite(in, out, now);
  }
}

void TypeMigration::Step::rewrite_many(ByteReader& in, ByteWriter& out, std::int64_t now) const {
  const std::uint64_t count = in.varint();
  out.varint(count);
  for (std::uint64_t left = count; left > 0 && !in.failed(); --left) {
    const std::size_t before = in.offset();
    for (const Step& part : parts) part.rewrite(in, out, now);
    // A count alone bounds nothing.
    if (in.offset() == before) in.fail();
  }
}

void TypeMigration::Step::rewrite_record(ByteReader& in, ByteWriter& out, std::int64_t now) const {
  std::vector<std::string> fields(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    ByteWriter field(fields[i]);
    parts[i].rewrite(in, field, now);
  }
  for (std::size_t i = 0; i < from.size(); ++i)
    out.raw(from[i] >= 0 ? fields[static_cast<std::size_t>(from[i])] : defaults[i]);
}

/// Makes the steps, or nothing where there are none.
struct TypeMigration::Builder {
  using Kind = Step::Kind;
  using Parts = std::vector<TypeDescriptor::Part>;

  static std::optional<Step> step(const TypeDescriptor& old, const TypeDescriptor& wanted) {
    if (old.text() == wanted.text())
      return Step{.kind = Kind::copy, .walk = ValueWalk::over(wanted)};
    const bool had_time = is_ttl(old);
    if (had_time != is_ttl(wanted)) {
      return had_time ? around(Kind::drop_time, step(old.parts[0].type, wanted))
                      : around(Kind::add_time, step(old, wanted.parts[0].type));
    }
    if (old.name != wanted.name || old.opening != wanted.opening) return std::nullopt;
    if (old.name == "record" && old.opening == '{') return record(old.parts, wanted.parts);
    const std::optional<Kind> kind = kind_of(old);
    if (!kind || old.parts.size() != wanted.parts.size()) return std::nullopt;
    if (kind == Kind::map && old.parts[0].type.text() != wanted.parts[0].type.text())
      return std::nullopt;
    Step whole{.kind = *kind};
    if (had_time) whole.parts.push_back({.kind = Kind::copy, .walk = ValueWalk::over_fixed(8)});
    for (std::size_t i = 0; i < old.parts.size(); ++i) {
      std::optional<Step> part = step(old.parts[i].type, wanted.parts[i].type);
      if (!part) return std::nullopt;
      whole.parts.push_back(*std::move(part));
    }
    return whole;
  }

 private:
  static bool is_ttl(const TypeDescriptor& type) {
    return type.name == "ttl" && type.opening == '<' && type.parts.size() == 1;
  }
  /// Of a type whose parts alone decide; a serializer that is not of this engine knows its own.
  static std::optional<Kind> kind_of(const TypeDescriptor& type) {
    if (type.opening == '(' && (type.name.empty() || type.name == "struct")) return Kind::sequence;
    if (type.opening != '<') return std::nullopt;
    if (type.name == "map" && type.parts.size() == 2) return Kind::map;
    if (type.parts.size() != 1) return std::nullopt;
    if (type.name == "list") return Kind::list;
    if (type.name == "optional") return Kind::optional;
    if (type.name == "ttl") return Kind::sequence;
    return std::nullopt;
  }
  static std::optional<Step> around(Kind kind, std::optional<Step> inner) {
    if (!inner) return std::nullopt;
    Step step{.kind = kind};
    step.parts.push_back(*std::move(inner));
    return step;
  }
  static int place_of(const Parts& parts, const std::string& field) {
    const auto found = std::find_if(parts.begin(), parts.end(),
                                    [&](const auto& part) { return part.field == field; });
    return found != parts.end() ? static_cast<int>(found - parts.begin()) : -1;
  }
  static std::optional<Step> record(const Parts& old, const Parts& wanted) {
    Step whole{.kind = Kind::record};
    for (const TypeDescriptor::Part& field : wanted) {
      const int from = place_of(old, field.field);
      if (from < 0 && !field.has_default) return std::nullopt;
      whole.from.push_back(from);
      whole.defaults.push_back(field.default_bytes);
    }
    for (const TypeDescriptor::Part& field : old) {
      const int to = place_of(wanted, field.field);
      std::optional<Step> part = to >= 0
                                     ? step(field.type, wanted[static_cast<std::size_t>(to)].type)
                                     : dropped(field.type);
      if (!part) return std::nullopt;
      whole.parts.push_back(*std::move(part));
    }
    return whole;
  }
  static std::optional<Step> dropped(const TypeDescriptor& type) {
    ValueWalk walk = ValueWalk::over(type);
    if (!walk.is_known()) return std::nullopt;
    return Step{.kind = Kind::drop, .walk = std::move(walk)};
  }
};

std::optional<TypeMigration> TypeMigration::between(const TypeDescriptor& old,
                                                    const TypeDescriptor& wanted) {
  std::optional<Step> root = Builder::step(old, wanted);
  if (!root) return std::nullopt;
  return TypeMigration(std::make_shared<const Step>(*std::move(root)));
}

void TypeMigration::rewrite(ByteReader& in, ByteWriter& out, std::int64_t now) const {
  root_->rewrite(in, out, now);
}

bool type_fits(std::string_view old, std::string_view wanted) {
  if (old == wanted) return true;
  const std::optional<TypeDescriptor> from = TypeDescriptor::parse(old);
  const std::optional<TypeDescriptor> to = TypeDescriptor::parse(wanted);
  return from && to && TypeMigration::between(*from, *to);
}

}  // namespace streamrun
