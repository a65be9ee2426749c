#pragma once

#include <streamrun/types/type_descriptor.h>

#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace streamrun {

/// A name that does not compile unless it may be one of a field.
class FieldName {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor)
  consteval FieldName(const char* text) : text_(text) {
    if (!is_field_name(text_)) throw "a field name has letters, digits, _, - and . only";
  }
  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

template <typename S, typename M>
struct NamedField {
  using Member = M;
  static constexpr bool kHasDefault = false;
  std::string_view name;
  M S::*member;
};

template <typename S, typename M>
struct NamedFieldWithDefault {
  using Member = M;
  static constexpr bool kHasDefault = true;
  std::string_view name;
  M S::*member;
  M fallback;
};

/// A field that every snapshot has.
template <typename S, typename M>
constexpr NamedField<S, M> field(FieldName name, M S::*member) {
  return {name.text(), member};
}
/// A field that is `fallback` in what was written before it was added.
template <typename S, typename M>
constexpr NamedFieldWithDefault<S, M> field(FieldName name, M S::*member,
                                            std::type_identity_t<M> fallback) {
  return {name.text(), member, std::move(fallback)};
}

template <typename... F>
struct NamedFields {
  static_assert(sizeof...(F) > 0, "a struct with names has a field");
  std::tuple<F...> all;
};

/// What a struct returns that names its fields, once, so that it can change later:
///
///   struct Account {
///     std::int64_t cents = 0;
///     std::string currency;
///     static auto fields() {
///       return named_fields(field("cents", &Account::cents),
///                           field("currency", &Account::currency, "EUR"));
///     }
///   };
///
/// Snapshots record the names and types. A restore into a struct with other fields gives a new one
/// its default, reads over what is gone, and does not mind the order; a name without a default, or
/// with another type, is refused. A renamed field is a new one. The fields are written in this
/// order, nothing between them.
template <typename... F>
constexpr NamedFields<F...> named_fields(F... fields) {
  return {std::tuple<F...>(std::move(fields)...)};
}

namespace detail {
template <typename T>
inline constexpr bool kIsNamedFields = false;
template <typename... F>
inline constexpr bool kIsNamedFields<NamedFields<F...>> = true;
}  // namespace detail

/// A struct that names its fields.
template <typename T>
concept NamedStruct = std::is_class_v<T> && requires {
  T::fields();
} && detail::kIsNamedFields<std::remove_cvref_t<decltype(T::fields())>>;

}  // namespace streamrun
