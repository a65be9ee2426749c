// The baselines of the Kafka connectors: librdkafka and nothing else. They must not be made worse
// than one would write them.
//
//   kafka_loops read BROKERS TOPIC         consumes all partitions to their ends, a batch at a
//   time,
//                                          and parses each value as an order of JSON
//   kafka_loops write BROKERS TOPIC COUNT  writes COUNT records of 100 bytes in transactions of a
//                                          second
//
// Both print how many records there were.
#include <streamrun/formats/json_decoder.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <librdkafka/rdkafka.h>

namespace {

using namespace streamrun;

struct Order {
  std::string key;
  std::int64_t amount = 0;
  static auto fields() {
    return named_fields(field("key", &Order::key), field("amount", &Order::amount));
  }
};

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "error: %s\n", why.c_str());
  std::exit(1);
}

void check(rd_kafka_error_t* error) {
  if (error != nullptr) give_up(rd_kafka_error_string(error));
}

rd_kafka_t* open(rd_kafka_type_t type,
                 const std::vector<std::pair<std::string, std::string>>& settings) {
  std::array<char, 512> why{};
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size()) !=
        RD_KAFKA_CONF_OK)
      give_up(why.data());
  }
  rd_kafka_t* const client = rd_kafka_new(type, conf, why.data(), why.size());
  if (client == nullptr) give_up(why.data());
  return client;
}

int partitions_of(rd_kafka_t* client, rd_kafka_topic_t* topic) {
  const rd_kafka_metadata_t* metadata = nullptr;
  if (rd_kafka_metadata(client, 0, topic, &metadata, 30000) != RD_KAFKA_RESP_ERR_NO_ERROR)
    give_up("no metadata");
  const int count = metadata->topics[0].partition_cnt;
  rd_kafka_metadata_destroy(metadata);
  return count;
}

void read(const std::string& brokers, const std::string& name) {
  rd_kafka_t* const client = open(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers},
                                                      {"enable.partition.eof", "true"},
                                                      // Or it reads a third as fast.
                                                      {"queued.min.messages", "1000000"},
                                                      {"queued.max.messages.kbytes", "131072"},
                                                      {"enable.auto.commit", "false"}});
  rd_kafka_topic_t* const topic = rd_kafka_topic_new(client, name.c_str(), nullptr);
  rd_kafka_queue_t* const queue = rd_kafka_queue_new(client);
  const int partitions = partitions_of(client, topic);
  for (int i = 0; i < partitions; ++i)
    rd_kafka_consume_start_queue(topic, i, RD_KAFKA_OFFSET_BEGINNING, queue);
  std::vector<rd_kafka_message_t*> batch(1024);
  JsonDecoder<Order> decoder;
  Order order;
  std::int64_t records = 0;
  std::int64_t amount = 0;
  for (int left = partitions; left > 0;) {
    const ssize_t count = rd_kafka_consume_batch_queue(queue, 5, batch.data(), batch.size());
    for (ssize_t i = 0; i < count; ++i) {
      rd_kafka_message_t* const message = batch[static_cast<std::size_t>(i)];
      if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        --left;
      } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        give_up(rd_kafka_message_errstr(message));
      } else {
        const std::string_view value(static_cast<const char*>(message->payload), message->len);
        if (!decoder.decode(value, order)) give_up("no order");
        amount += order.amount;
        ++records;
      }
      rd_kafka_message_destroy(message);
    }
  }
  std::printf("%lld records, %lld\n", static_cast<long long>(records),
              static_cast<long long>(amount));
}

void write(const std::string& brokers, const std::string& name, std::int64_t count) {
  constexpr std::size_t kBytes = 100;
  constexpr std::int64_t kBetweenLooks = 1024;
  rd_kafka_t* const client = open(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers},
                                                      {"transactional.id", "kafka-loops"},
                                                      {"queue.buffering.max.messages", "1000000"},
                                                      {"queue.buffering.max.kbytes", "65536"}});
  rd_kafka_topic_t* const topic = rd_kafka_topic_new(client, name.c_str(), nullptr);
  check(rd_kafka_init_transactions(client, 30000));
  check(rd_kafka_begin_transaction(client));
  std::string value(kBytes, 'x');
  auto begun = std::chrono::steady_clock::now();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    value.replace(0, number.size(), number);
    while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value.data(),
                            value.size(), number.data(), number.size(), nullptr) != 0) {
      if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
        give_up(rd_kafka_err2str(rd_kafka_last_error()));
      rd_kafka_poll(client, 10);
    }
    if (i % kBetweenLooks != 0) continue;
    rd_kafka_poll(client, 0);
    const auto now = std::chrono::steady_clock::now();
    if (now - begun < std::chrono::seconds(1)) continue;
    begun = now;
    check(rd_kafka_commit_transaction(client, 60000));
    check(rd_kafka_begin_transaction(client));
  }
  check(rd_kafka_commit_transaction(client, 60000));
  std::printf("%lld records\n", static_cast<long long>(count));
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 3 && words[0] == "read") {
    read(words[1], words[2]);
  } else if (words.size() == 4 && words[0] == "write") {
    write(words[1], words[2], std::atoll(words[3].c_str()));
  } else {
    std::fprintf(stderr, "usage: kafka_loops read BROKERS TOPIC | write BROKERS TOPIC COUNT\n");
    return 64;
  }
  return 0;
}
