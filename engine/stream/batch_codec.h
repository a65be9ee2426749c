#pragma once

#include <streamrun/base/bytes.h>
#include <streamrun/stream/batch.h>
#include <streamrun/types/key_traits.h>
#include <streamrun/types/type_serializer.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace streamrun {

/// How the batches of one edge become bytes and come back, for records in flight that an unaligned
/// checkpoint saves. Any thread.
class BatchCodec {
 public:
  /// By `key_hash_of` the key; without a key every record is kept.
  using Keeps = std::function<bool(std::uint32_t key_hash)>;

  virtual ~BatchCodec() = default;
  virtual std::string type_name() const = 0;
  virtual bool is_keyed() const = 0;
  /// `batch` is of this edge.
  virtual void write(ByteWriter& out, const AnyBatch& batch) const = 0;
  /// Those of the written records that are to be kept, in their order and with their hashes; null
  /// if the bytes are damaged.
  virtual std::unique_ptr<AnyBatch> read(std::string_view bytes, const Keeps& keeps) const = 0;
};

namespace detail {

/// Of an edge without a key.
struct NoKey {};

template <typename T, typename K, typename Selector>
class TypedBatchCodec final : public BatchCodec {
 public:
  explicit TypedBatchCodec(Selector selector) : selector_(std::move(selector)) {}

  std::string type_name() const override { return TypeSerializer<T>::type_name(); }
  bool is_keyed() const override { return kIsKeyed; }
  void write(ByteWriter& out, const AnyBatch& batch) const override {
    const auto& records = static_cast<const Batch<T>&>(batch);
    out.varint(records.size());
    for (const auto& record : records) TypeSerializer<T>::write(out, record);
  }
  std::unique_ptr<AnyBatch> read(std::string_view bytes, const Keeps& keeps) const override {
    auto batch = std::make_unique<Batch<T>>();
    ByteReader in(bytes);
    for (std::uint64_t left = in.varint(); left > 0; --left) {
      if (in.remaining() == 0) return nullptr;  // a record takes a byte at least
      T record{};
      TypeSerializer<T>::read(in, record);
      if (in.failed()) return nullptr;
      if constexpr (kIsKeyed) {
        // A selector need not be const; the copy of each call is as good as the sender's.
        Selector selector = selector_;
        const std::uint32_t hash =
            murmur_hash(KeyTraits<K>::java_hash_of(std::invoke(selector, RecordRef<T>(record))));
        if (!keeps(hash)) continue;
        batch->key_hashes.push_back(hash);
      }
      batch->append(std::move(record));
    }
    if (!in.done()) return nullptr;
    return batch;
  }

 private:
  static constexpr bool kIsKeyed = !std::is_same_v<K, NoKey>;
  Selector selector_;
};

}  // namespace detail

/// Of an edge without a key; null for a type whose records take no bytes or have no serializer.
template <typename T>
std::shared_ptr<const BatchCodec> batch_codec_of() {
  if constexpr (Serializable<T> && !std::is_empty_v<T>) {
    return std::make_shared<detail::TypedBatchCodec<T, detail::NoKey, detail::NoKey>>(
        detail::NoKey());
  } else {
    return nullptr;
  }
}

/// Of an edge whose records go where their key does.
template <typename T, typename K, typename Selector>
std::shared_ptr<const BatchCodec> keyed_batch_codec_of(Selector selector) {
  if constexpr (Serializable<T> && !std::is_empty_v<T>) {
    return std::make_shared<detail::TypedBatchCodec<T, K, Selector>>(std::move(selector));
  } else {
    return nullptr;
  }
}

}  // namespace streamrun
