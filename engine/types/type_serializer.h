#pragma once

#include <streamrun/types/container_serializers.h>
#include <streamrun/types/scalar_serializers.h>
#include <streamrun/types/serializer.h>
#include <streamrun/types/struct_serializers.h>

#include <string>
#include <string_view>

namespace streamrun {

template <Serializable T>
std::string to_bytes(const T& value) {
  std::string bytes;
  ByteWriter out(bytes);
  TypeSerializer<T>::write(out, value);
  return bytes;
}

/// E-STATE-CORRUPT if the bytes are not exactly one value.
template <Serializable T>
Result<T> from_bytes(std::string_view bytes) {
  T value{};
  ByteReader in(bytes);
  TypeSerializer<T>::read(in, value);
  if (!in.done()) {
    return Error{.code = ErrorCode::state_corrupt,
                 .message = "the bytes of a " + TypeSerializer<T>::type_name() + " are damaged"};
  }
  return value;
}

}  // namespace streamrun
