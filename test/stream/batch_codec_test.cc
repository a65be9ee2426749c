#include <streamrun/stream/batch_codec.h>

#include <string>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

struct Order {
  std::string customer;
  std::int64_t amount = 0;
};
struct Nothing {};

std::string written(const BatchCodec& codec, const AnyBatch& batch) {
  std::string bytes;
  ByteWriter out(bytes);
  codec.write(out, batch);
  return bytes;
}
const BatchCodec::Keeps kAll = [](std::uint32_t) { return true; };

TEST_CASE("batch codec: records come back in order", "[stream]") {
  Batch<Order> orders;
  orders.append(Order{"ada", 1});
  orders.append(Order{"a name that does not lie in its slot", -2});
  const auto codec = batch_codec_of<Order>();
  CHECK(codec->type_name() == "struct(string,int64)");
  CHECK_FALSE(codec->is_keyed());
  const auto batch = codec->read(written(*codec, orders), kAll);
  REQUIRE(batch != nullptr);
  const auto& back = static_cast<const Batch<Order>&>(*batch);
  REQUIRE(back.size() == 2);
  CHECK(back[0].customer == "ada");
  CHECK(back[1].customer == "a name that does not lie in its slot");
  CHECK(back[1].amount == -2);
  CHECK(back.key_hashes.size() == 0);
}

TEST_CASE("batch codec: an adopted block of text comes back as its lines", "[stream]") {
  Batch<std::string> lines;
  const std::string text = "one\n\ntwo\n";
  TextBlock block = TextBlock::of_capacity(text.size());
  text.copy(block.bytes.get(), text.size());
  lines.adopt_lines(std::move(block), text.size());
  const auto codec = batch_codec_of<std::string>();
  const auto batch = codec->read(written(*codec, lines), kAll);
  REQUIRE(batch != nullptr);
  const auto& back = static_cast<const Batch<std::string>&>(*batch);
  REQUIRE(back.size() == 3);
  CHECK(back[0] == "one");
  CHECK(back[1].empty());
  CHECK(back[2] == "two");
}

TEST_CASE("batch codec: of a keyed edge only what is kept comes back, with its hashes",
          "[stream]") {
  Batch<Order> orders;
  for (const char* const name : {"ada", "bob", "ada", "cy"}) orders.append(Order{name, 1});
  const auto codec = keyed_batch_codec_of<Order, std::string>(&Order::customer);
  CHECK(codec->is_keyed());
  const std::uint32_t of_bob = key_hash_of<std::string>("bob");
  const auto batch =
      codec->read(written(*codec, orders), [&](std::uint32_t hash) { return hash != of_bob; });
  REQUIRE(batch != nullptr);
  const auto& back = static_cast<const Batch<Order>&>(*batch);
  REQUIRE(back.size() == 3);
  CHECK(back[2].customer == "cy");
  REQUIRE(back.key_hashes.size() == 3);
  CHECK(back.key_hashes[0] == key_hash_of<std::string>("ada"));
  CHECK(back.key_hashes[2] == key_hash_of<std::string>("cy"));
}

TEST_CASE("batch codec: what is cut short or longer is damage", "[stream]") {
  Batch<Order> orders;
  orders.append(Order{"ada", 1});
  const auto codec = batch_codec_of<Order>();
  const std::string bytes = written(*codec, orders);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    // Nothing at all reads as no records: the block around it says that there is a batch.
    if (length > 0) CHECK(codec->read(bytes.substr(0, length), kAll) == nullptr);
  }
  CHECK(codec->read(bytes + "x", kAll) == nullptr);
  CHECK(codec->read("\xff\xff\xff\xff\xff\xff\xff\x7f", kAll) == nullptr);
}

TEST_CASE("batch codec: there is none for records that take no bytes", "[stream]") {
  CHECK(batch_codec_of<Nothing>() == nullptr);
}

}  // namespace
}  // namespace streamrun
