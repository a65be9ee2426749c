#pragma once

#include <streamrun/base/bytes.h>

#include <concepts>
#include <cstddef>
#include <string>

namespace streamrun {

/// How a value becomes bytes and how old bytes are recognised. A specialisation has
///   static std::string type_name();              recorded in every snapshot, compared by a restore
///   static void write(ByteWriter&, const T&);
///   static void read(ByteReader&, T&);           on damage the reader says `failed()`, the value
///                                                is anything
/// and may have, for what is written often,
///   static std::size_t most_bytes(const T&);     how many bytes `put` writes at most
///   static char* put(char* to, const T&);        what `write` writes, to memory with room for it
/// A type name is that of the serializer, with the types that it is made of; a serializer whose
/// bytes change needs another one: `money@2` instead of `money`. Fixed-size numbers are big-endian
/// as in Flink. There are serializers for numbers, bool, enums, texts, bytes
/// (`std::vector<std::byte>`), optional, vector, map, unordered_map, pair, tuple, and for plain
/// structs, field by field in order.
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

}  // namespace streamrun
