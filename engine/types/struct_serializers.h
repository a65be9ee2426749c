#pragma once

#include <streamrun/types/fields.h>
#include <streamrun/types/serializer.h>

#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace streamrun {

template <typename A, typename B>
struct TypeSerializer<std::pair<A, B>> {
  static std::string type_name() {
    return "(" + TypeSerializer<A>::type_name() + "," + TypeSerializer<B>::type_name() + ")";
  }
  static void write(ByteWriter& out, const std::pair<A, B>& value) {
    TypeSerializer<A>::write(out, value.first);
    TypeSerializer<B>::write(out, value.second);
  }
  static constexpr bool kPuts = PutSerializable<A> && PutSerializable<B>;
  static std::size_t most_bytes(const std::pair<A, B>& value) requires kPuts {
    return TypeSerializer<A>::most_bytes(value.first) + TypeSerializer<B>::most_bytes(value.second);
  }
  static char* put(char* to, const std::pair<A, B>& value) requires kPuts {
    return TypeSerializer<B>::put(TypeSerializer<A>::put(to, value.first), value.second);
  }
  static void read(ByteReader& in, std::pair<A, B>& value) {
    TypeSerializer<A>::read(in, value.first);
    TypeSerializer<B>::read(in, value.second);
  }
};

template <typename... F>
struct TypeSerializer<std::tuple<F...>> {
  static std::string type_name() {
    std::string name;
    ((name += (name.empty() ? "" : ",") + TypeSerializer<F>::type_name()), ...);
    return "(" + name + ")";
  }
  static void write(ByteWriter& out, const std::tuple<F...>& value) {
    std::apply([&](const F&... field) { (TypeSerializer<F>::write(out, field), ...); }, value);
  }
  static constexpr bool kPuts = (PutSerializable<F> && ...);
  static std::size_t most_bytes(const std::tuple<F...>& value) requires kPuts {
    return std::apply(
        [](const F&... field) {
          return (std::size_t{0} + ... + TypeSerializer<F>::most_bytes(field));
        },
        value);
  }
  static char* put(char* to, const std::tuple<F...>& value) requires kPuts {
    std::apply([&](const F&... field) { ((to = TypeSerializer<F>::put(to, field)), ...); }, value);
    return to;
  }
  static void read(ByteReader& in, std::tuple<F...>& value) {
    std::apply([&](F&... field) { (TypeSerializer<F>::read(in, field), ...); }, value);
  }
};

namespace detail {
template <typename... F>
constexpr bool puts_all(const std::tuple<F...>*) {
  return (PutSerializable<std::remove_cvref_t<F>> && ...);
}
}  // namespace detail

template <PlainStruct T>
struct TypeSerializer<T> {
  static std::string type_name() {
    return name_of(static_cast<decltype(fields_of(std::declval<T&>()))*>(nullptr));
  }
  static void write(ByteWriter& out, const T& value) {
    std::apply(
        [&](const auto&... field) {
          (TypeSerializer<std::remove_cvref_t<decltype(field)>>::write(out, field), ...);
        },
        fields_of(value));
  }
  static constexpr bool kPuts =
      detail::puts_all(static_cast<decltype(fields_of(std::declval<T&>()))*>(nullptr));
  static std::size_t most_bytes(const T& value) requires kPuts {
    return std::apply(
        [](const auto&... field) {
          return (std::size_t{0} + ... +
                  TypeSerializer<std::remove_cvref_t<decltype(field)>>::most_bytes(field));
        },
        fields_of(value));
  }
  static char* put(char* to, const T& value) requires kPuts {
    std::apply(
        [&](const auto&... field) {
          ((to = TypeSerializer<std::remove_cvref_t<decltype(field)>>::put(to, field)), ...);
        },
        fields_of(value));
    return to;
  }
  static void read(ByteReader& in, T& value) {
    std::apply(
        [&](auto&... field) {
          (TypeSerializer<std::remove_cvref_t<decltype(field)>>::read(in, field), ...);
        },
        fields_of(value));
  }

 private:
  template <typename... F>
  static std::string name_of(const std::tuple<F...>*) {
    std::string name;
    ((name += (name.empty() ? "" : ",") + TypeSerializer<std::remove_cvref_t<F>>::type_name()),
     ...);
    return "struct(" + name + ")";
  }
};

}  // namespace streamrun
