#pragma once

#include <streamrun/base/bytes.h>
#include <streamrun/types/type_descriptor.h>

#include <concepts>
#include <cstddef>
#include <string>
#include <utility>

namespace streamrun {

/// How a value becomes bytes and how old bytes are recognised. A specialisation has
///   static std::string type_name();              recorded in every snapshot, compared by a restore
///   static void write(ByteWriter&, const T&);
///   static void read(ByteReader&, T&);           on damage the reader says `failed()`, the value
///                                                is anything
/// and may have, for what is written often,
///   static std::size_t most_bytes(const T&);     how many bytes `put` writes at most
///   static char* put(char* to, const T&);        what `write` writes, to memory with room for it
/// and, if other types are part of it, for restores that migrate them,
///   static TypeDescriptor descriptor();          the type name as a tree
/// A type name is that of the serializer, with the types that it is made of; a serializer whose
/// bytes change needs another one: `money@2` instead of `money`. Fixed-size numbers are big-endian
/// as in Flink. There are serializers for numbers, bool, enums, texts, bytes
/// (`std::vector<std::byte>`), optional, vector, map, unordered_map, pair, tuple, for structs
/// that name their fields (`named_fields`), and for plain structs, field by field in order.
template <typename T>
struct TypeSerializer;

/// Whether a T can be written straight to memory.
template <typename T>
concept PutSerializable = requires(char* to, const T& value) {
  { TypeSerializer<T>::most_bytes(value) } -> std::same_as<std::size_t>;
  { TypeSerializer<T>::put(to, value) } -> std::same_as<char*>;
};

template <typename T>
concept Serializable = requires(ByteWriter& out, ByteReader& in, T& value) {
  { TypeSerializer<T>::type_name() } -> std::same_as<std::string>;
  TypeSerializer<T>::write(out, value);
  TypeSerializer<T>::read(in, value);
};

/// What a T is in snapshots.
template <Serializable T>
TypeDescriptor describe() {
  if constexpr (requires { TypeSerializer<T>::descriptor(); }) {
    return TypeSerializer<T>::descriptor();
  } else {
    TypeDescriptor type(TypeSerializer<T>::type_name(), '\0');
    type.skip = [](ByteReader& in) {
      T value{};
      TypeSerializer<T>::read(in, value);
    };
    return type;
  }
}

/// A type that is made of others.
template <Serializable... Parts>
TypeDescriptor describe_parts(std::string name, char opening) {
  TypeDescriptor type(std::move(name), opening);
  (type.parts.push_back({.type = describe<Parts>()}), ...);
  return type;
}

}  // namespace streamrun
