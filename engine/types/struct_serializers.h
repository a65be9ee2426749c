#pragma once

#include <streamrun/base/error.h>
#include <streamrun/types/fields.h>
#include <streamrun/types/named_fields.h>
#include <streamrun/types/serializer.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace streamrun {

template <typename A, typename B>
struct TypeSerializer<std::pair<A, B>> {
  static TypeDescriptor descriptor() { return describe_parts<A, B>("", '('); }
  static std::string type_name() { return descriptor().text(); }
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
  static TypeDescriptor descriptor() { return describe_parts<F...>("", '('); }
  static std::string type_name() { return descriptor().text(); }
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
requires(!NamedStruct<T>) struct TypeSerializer<T> {
  static TypeDescriptor descriptor() {
    return describe_fields(static_cast<decltype(fields_of(std::declval<T&>()))*>(nullptr));
  }
  static std::string type_name() { return descriptor().text(); }
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
  static TypeDescriptor describe_fields(const std::tuple<F...>*) {
    return describe_parts<std::remove_cvref_t<F>...>("struct", '(');
  }
};

namespace detail {
template <typename... F>
constexpr bool puts_all(const NamedFields<F...>*) {
  return (PutSerializable<typename F::Member> && ...);
}
}  // namespace detail

/// A struct that names its fields: their values in the order of the names.
template <NamedStruct T>
struct TypeSerializer<T> {
  static TypeDescriptor descriptor() {
    TypeDescriptor type("record", '{');
    for_each_field([&](const auto& field) {
      using Field = std::remove_cvref_t<decltype(field)>;
      using Member = typename Field::Member;
      check_is_new(type, field.name);
      TypeDescriptor::Part part{.type = describe<Member>(), .field = std::string(field.name)};
      if constexpr (Field::kHasDefault) {
        part.has_default = true;
        ByteWriter out(part.default_bytes);
        TypeSerializer<Member>::write(out, field.fallback);
      }
      type.parts.push_back(std::move(part));
    });
    return type;
  }
  static std::string type_name() { return descriptor().text(); }
  static void write(ByteWriter& out, const T& value) {
    for_each_field([&](const auto& field) {
      TypeSerializer<MemberOf<decltype(field)>>::write(out, value.*field.member);
    });
  }
  static constexpr bool kPuts = detail::puts_all(static_cast<decltype(T::fields())*>(nullptr));
  static std::size_t most_bytes(const T& value) requires kPuts {
    std::size_t most = 0;
    for_each_field([&](const auto& field) {
      most += TypeSerializer<MemberOf<decltype(field)>>::most_bytes(value.*field.member);
    });
    return most;
  }
  static char* put(char* to, const T& value) requires kPuts {
    for_each_field([&](const auto& field) {
      to = TypeSerializer<MemberOf<decltype(field)>>::put(to, value.*field.member);
    });
    return to;
  }
  static void read(ByteReader& in, T& value) {
    for_each_field([&](const auto& field) {
      TypeSerializer<MemberOf<decltype(field)>>::read(in, value.*field.member);
    });
  }

 private:
  using Fields = decltype(T::fields());
  template <typename Field>
  using MemberOf = typename std::remove_cvref_t<Field>::Member;

  template <typename F>
  static void for_each_field(F&& use) {
    const auto apply = [&](const Fields& fields) {
      std::apply([&](const auto&... field) { (use(field), ...); }, fields.all);
    };
    // Names and places are known to the compiler; a default that owns memory is made once.
    if constexpr (std::is_trivially_destructible_v<Fields>) {
      apply(T::fields());
    } else {
      static const Fields kFields = T::fields();
      apply(kFields);
    }
  }
  static void check_is_new(const TypeDescriptor& type, std::string_view name) {
    for (const TypeDescriptor::Part& part : type.parts) {
      if (part.field != name) continue;
      throw_error({.code = ErrorCode::job_mismatch,
                   .message = "a struct has two fields of the name \"" + part.field + "\"",
                   .retry = Retry::no});
    }
  }
};

}  // namespace streamrun
