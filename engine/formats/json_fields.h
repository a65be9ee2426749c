#pragma once

#include <streamrun/types/named_fields.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace streamrun {

/// A value of JSON that is neither object nor array.
struct JsonScalar {
  enum class Kind : std::uint8_t { null, boolean, integer, natural, real, text };
  Kind kind = Kind::null;
  bool boolean = false;
  std::int64_t integer = 0;   ///< of an `integer`
  std::uint64_t natural = 0;  ///< of a `natural`: one that an `integer` can't hold
  double real = 0;
  std::string_view text = {};
};

/// What JSON needs to know about a struct that names its fields.
struct JsonFields {
  /// Whether the value could be put there.
  using Assign = bool (*)(void* field, const JsonScalar& value);
  struct Field {
    std::string name;
    std::size_t offset = 0;  ///< in the struct, bytes
    bool may_be_missing = false;
    const char* type = "";  ///< for messages: "a whole number"
    Assign assign = nullptr;
    const JsonFields* nested = nullptr;    ///< instead of `assign`
    void* (*make)(void* field) = nullptr;  ///< of a nested one: the struct to fill
    void (*make_null)(void* field) = nullptr;
  };
  std::vector<Field> fields;
};

namespace detail {

template <typename M>
inline constexpr bool kIsOptional = false;
template <typename M>
inline constexpr bool kIsOptional<std::optional<M>> = true;

template <typename M>
bool assign_number(M& field, const JsonScalar& value) {
  if constexpr (std::is_floating_point_v<M>) {
    switch (value.kind) {
      case JsonScalar::Kind::real:
        field = static_cast<M>(value.real);
        return true;
      case JsonScalar::Kind::integer:
        field = static_cast<M>(value.integer);
        return true;
      case JsonScalar::Kind::natural:
        field = static_cast<M>(value.natural);
        return true;
      default:
        return false;
    }
  } else {
    if (value.kind == JsonScalar::Kind::integer && std::in_range<M>(value.integer)) {
      field = static_cast<M>(value.integer);
    } else if (value.kind == JsonScalar::Kind::natural && std::in_range<M>(value.natural)) {
      field = static_cast<M>(value.natural);
    } else {
      return false;
    }
    return true;
  }
}

template <typename M>
bool assign_json(void* place, const JsonScalar& value) {
  auto& field = *static_cast<M*>(place);
  if constexpr (kIsOptional<M>) {
    if (value.kind == JsonScalar::Kind::null) {
      field.reset();
      return true;
    }
    return assign_json<typename M::value_type>(&field.emplace(), value);
  } else if constexpr (std::is_same_v<M, bool>) {
    field = value.boolean;
    return value.kind == JsonScalar::Kind::boolean;
  } else if constexpr (std::is_same_v<M, std::string>) {
    field = value.text;
    return value.kind == JsonScalar::Kind::text;
  } else {
    static_assert(std::is_arithmetic_v<M> && !std::is_same_v<M, char>,
                  "a field of JSON is a bool, number, string, struct that names its fields, or "
                  "optional of these");
    return assign_number(field, value);
  }
}

template <typename M>
constexpr const char* json_type() {
  if constexpr (kIsOptional<M>) {
    return json_type<typename M::value_type>();
  } else if constexpr (std::is_same_v<M, bool>) {
    return "true or false";
  } else if constexpr (std::is_same_v<M, std::string>) {
    return "a string";
  } else if constexpr (std::is_floating_point_v<M>) {
    return "a number";
  } else if constexpr (NamedStruct<M>) {
    return "an object";
  } else if constexpr (std::is_unsigned_v<M>) {
    return "a whole number that is not negative and fits";
  } else {
    return "a whole number that fits";
  }
}

}  // namespace detail

template <NamedStruct T>
const JsonFields& json_fields_of();

namespace detail {

template <typename T, typename F>
JsonFields::Field json_field(const F& field, const T& example) {
  using M = typename F::Member;
  const auto* const begin = reinterpret_cast<const char*>(&example);
  const auto* const place = reinterpret_cast<const char*>(&(example.*field.member));
  JsonFields::Field row{.name = std::string(field.name),
                        .offset = static_cast<std::size_t>(place - begin),
                        .may_be_missing = F::kHasDefault || kIsOptional<M>,
                        .type = json_type<M>()};
  if constexpr (NamedStruct<M>) {
    row.nested = &json_fields_of<M>();
    row.make = [](void* at) { return at; };
  } else if constexpr (kIsOptional<M>) {
    if constexpr (NamedStruct<typename M::value_type>) {
      row.nested = &json_fields_of<typename M::value_type>();
      row.make = [](void* at) -> void* { return &static_cast<M*>(at)->emplace(); };
      row.make_null = [](void* at) { static_cast<M*>(at)->reset(); };
    } else {
      row.assign = assign_json<M>;
    }
  } else {
    row.assign = assign_json<M>;
  }
  return row;
}

}  // namespace detail

/// Made once per type.
template <NamedStruct T>
const JsonFields& json_fields_of() {
  static const JsonFields kFields = [] {
    const T example{};
    JsonFields fields;
    std::apply(
        [&](const auto&... each) {
          (fields.fields.push_back(detail::json_field<T>(each, example)), ...);
        },
        T::fields().all);
    return fields;
  }();
  return kFields;
}

/// A struct with its defaults where it has some: what a record is before its fields are read.
template <NamedStruct T>
T json_blank() {
  T blank{};
  const auto set = [&](const auto& field) {
    if constexpr (std::remove_cvref_t<decltype(field)>::kHasDefault)
      blank.*field.member = field.fallback;
  };
  std::apply([&](const auto&... each) { (set(each), ...); }, T::fields().all);
  return blank;
}

}  // namespace streamrun
