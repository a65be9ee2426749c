#pragma once

#include <streamrun/platform/clock.h>
#include <streamrun/state/keyed_table.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace streamrun {

/// How long state lives, by processing time: `ValueState<Order> last{"last", {.ttl = 1h}};`. A
/// value, each element of a list and each entry of a map, for itself, has expired when its last
/// access plus `ttl` is not after now. The time is that of the beginning of the batch, in
/// milliseconds. It goes on while a job is down. A job may begin, or cease, to give a state a time
/// to live: what had none counts as accessed at the restore.
struct StateTtlConfig {
  enum class UpdateType {
    disabled,             ///< no time to live
    on_create_and_write,  ///< an access is a write
    on_read_and_write,
  };
  enum class Visibility {
    never_return_expired,
    return_expired_if_not_cleaned_up,
  };

  Duration ttl{};  ///< 0: no time to live; else at least a millisecond
  UpdateType update_type = UpdateType::on_create_and_write;
  Visibility visibility = Visibility::never_return_expired;
  /// Keys that are looked at for each access to the state, so that what is never read again goes
  /// away: at the beginning of the next batch, going around. 0: none are; then only snapshots leave
  /// out what has expired, and reads remove it.
  std::size_t cleanup_size = 5;

  bool is_enabled() const { return ttl != Duration() && update_type != UpdateType::disabled; }
};

/// A value with a time to live. The value comes first, where it would be without.
template <typename V>
struct Timed {
  V value{};
  std::int64_t last_access = 0;  ///< milliseconds since 1970
};

/// As in Flink: the time, then the value.
template <typename V>
struct TypeSerializer<Timed<V>> {
  static TypeDescriptor descriptor() { return describe_parts<V>("ttl", '<'); }
  static std::string type_name() { return descriptor().text(); }
  static void write(ByteWriter& out, const Timed<V>& timed) {
    out.i64(timed.last_access);
    TypeSerializer<V>::write(out, timed.value);
  }
  static std::size_t most_bytes(const Timed<V>& timed) requires PutSerializable<V> {
    return sizeof timed.last_access + TypeSerializer<V>::most_bytes(timed.value);
  }
  static char* put(char* to, const Timed<V>& timed) requires PutSerializable<V> {
    return TypeSerializer<V>::put(put_u64(to, static_cast<std::uint64_t>(timed.last_access)),
                                  timed.value);
  }
  static void read(ByteReader& in, Timed<V>& timed) {
    timed.last_access = in.i64();
    TypeSerializer<V>::read(in, timed.value);
  }
};

namespace detail {

template <typename V>
bool is_dead(const Timed<V>& timed, std::int64_t dead_since) {
  return timed.last_access <= dead_since;
}
template <typename K, typename V>
bool is_dead(const std::pair<const K, Timed<V>>& entry, std::int64_t dead_since) {
  return is_dead(entry.second, dead_since);
}
template <typename V>
Timed<V>& timed_of(Timed<V>& part) {
  return part;
}
template <typename K, typename V>
Timed<V>& timed_of(std::pair<const K, Timed<V>>& part) {
  return part.second;
}
template <typename Parts>
void erase_dead(Parts& parts, std::int64_t dead_since) {
  std::erase_if(parts, [&](const auto& part) { return is_dead(part, dead_since); });
}
template <typename Parts>
Liveness liveness_of(const Parts& parts, std::int64_t dead_since) {
  std::size_t dead = 0;
  for (const auto& part : parts) dead += is_dead(part, dead_since) ? 1 : 0;
  if (dead == 0) return Liveness::all;
  return dead == parts.size() ? Liveness::none : Liveness::some;
}
/// `use` gets what is left of the parts.
template <typename Parts, typename F>
auto with_live(const void* value, std::int64_t dead_since, F&& use) {
  const auto& parts = *static_cast<const Parts*>(value);
  if (liveness_of(parts, dead_since) == Liveness::all) return use(parts);
  Parts live = parts;
  erase_dead(live, dead_since);
  return use(static_cast<const Parts&>(live));
}

}  // namespace detail

/// Of a value that expires as a whole.
template <Serializable V>
ValueOperations operations_of_timed(std::int64_t ttl) {
  ValueOperations operations = operations_of<Timed<V>>();
  operations.ttl = ttl;
  operations.liveness = [](const void* value, std::int64_t dead_since) {
    return detail::is_dead(*static_cast<const Timed<V>*>(value), dead_since) ? Liveness::none
                                                                             : Liveness::all;
  };
  return operations;
}

/// Of a container whose parts expire one by one: of `Timed`, or of pairs with one.
template <Serializable Parts>
ValueOperations operations_of_timed_parts(std::int64_t ttl) {
  ValueOperations operations = operations_of<Parts>();
  operations.ttl = ttl;
  operations.liveness = [](const void* value, std::int64_t dead_since) {
    return detail::liveness_of(*static_cast<const Parts*>(value), dead_since);
  };
  operations.drop_dead = [](void* value, std::int64_t dead_since) {
    detail::erase_dead(*static_cast<Parts*>(value), dead_since);
  };
  operations.write_live = [](ByteWriter& out, const void* value, std::int64_t dead_since) {
    detail::with_live<Parts>(value, dead_since,
                             [&](const Parts& live) { TypeSerializer<Parts>::write(out, live); });
  };
  if constexpr (PutSerializable<Parts>) {
    operations.put_live = [](char* to, const void* value, std::int64_t dead_since) {
      return detail::with_live<Parts>(value, dead_since, [&](const Parts& live) {
        return TypeSerializer<Parts>::put(to, live);
      });
    };
  }
  return operations;
}

}  // namespace streamrun
