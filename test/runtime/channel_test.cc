#include <streamrun/platform/threaded_executor.h>
#include <streamrun/runtime/channel.h>
#include <streamrun/runtime/input_gate.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>

#include <catch2/catch.hpp>

#include "wake_counter.h"

namespace streamrun {
namespace {

using Numbers = Batch<std::int64_t>;

StreamElement element_of(std::int64_t number) {
  auto batch = std::make_unique<Numbers>();
  batch->append(number);
  return {.batch = std::move(batch), .event = EndOfInput{}};
}

struct OneChannel {
  ReadyChannels ready{1};
  CountedTarget consumer{1};
  CountedTarget producer{2};
  Channel channel{0, ready, consumer.target, producer.target};
};

TEST_CASE("wake target: wakes nobody before it is set, then whom it names", "[runtime]") {
  WakeCounter executor;
  WakeTarget target;
  target.executor = &executor;
  target.wake();
  CHECK(executor.wakes == 0);
  target.set({.worker = 4000, .slot = 131071, .generation = 0xfffffffe});
  target.wake();
  CHECK(executor.wakes == 1);
  CHECK(executor.last.worker == 4000);
  CHECK(executor.last.slot == 131071);
  CHECK(executor.last.generation == 0xfffffffe);
}

TEST_CASE("channel: a push marks the channel ready and wakes the consumer", "[runtime]") {
  OneChannel world;
  StreamElement element = element_of(5);
  REQUIRE(world.channel.try_push(element));
  CHECK(world.ready.take(0) == 1);
  CHECK(world.ready.take(0) == 0);
  CHECK(world.consumer.wakes() == 1);
  StreamElement taken;
  REQUIRE(world.channel.try_pop(taken));
  CHECK(static_cast<Numbers&>(*taken.batch)[0] == 5);
  CHECK(world.producer.wakes() == 0);
}

TEST_CASE("channel: a producer that waits is woken when the ring is half empty, once",
          "[runtime]") {
  OneChannel world;
  for (std::size_t i = 0; i < Channel::kCapacity; ++i) {
    StreamElement element = element_of(1);
    REQUIRE(world.channel.try_push(element));
  }
  CHECK(world.channel.wait_for_room());
  StreamElement taken;
  for (std::size_t i = 0; i < Channel::kCapacity / 2 - 1; ++i)
    REQUIRE(world.channel.try_pop(taken));
  CHECK(world.producer.wakes() == 0);
  REQUIRE(world.channel.try_pop(taken));
  CHECK(world.producer.wakes() == 1);
  while (world.channel.try_pop(taken)) {
  }
  CHECK(world.producer.wakes() == 1);
  CHECK_FALSE(world.channel.wait_for_room());
}

TEST_CASE("channel: used batches come back empty, and too many of them are let go", "[runtime]") {
  OneChannel world;
  CHECK(world.channel.take_recycled() == nullptr);
  for (int i = 0; i < 100; ++i) world.channel.recycle(element_of(i).batch);
  std::size_t count = 0;
  while (const auto batch = world.channel.take_recycled()) {
    CHECK(batch->empty());
    ++count;
  }
  CHECK(count == 2 * Channel::kCapacity);
}

TEST_CASE("channel writer: keeps what the ring has no room for, in order with events",
          "[runtime]") {
  OneChannel world;
  ChannelWriter writer(world.channel);
  for (std::int64_t i = 0; i < 20; ++i) {
    writer.send(element_of(i).batch);
    writer.send_event(CheckpointBarrier{.id = i, .target = {}});
  }
  CHECK_FALSE(writer.have_room());
  for (std::int64_t i = 0; i < 20; ++i) {
    for (const bool is_batch : {true, false}) {
      StreamElement taken;
      if (!world.channel.try_pop(taken)) {
        writer.have_room();
        REQUIRE(world.channel.try_pop(taken));
      }
      REQUIRE((taken.batch != nullptr) == is_batch);
      if (is_batch) {
        REQUIRE(static_cast<Numbers&>(*taken.batch)[0] == i);
      } else {
        REQUIRE(std::get<CheckpointBarrier>(taken.event).id == i);
      }
    }
  }
  CHECK(writer.have_room());
}

// ---- two threads

constexpr std::int64_t kCount = 1'000'000;

class Producer final : public Runnable {
 public:
  explicit Producer(Channel& channel) : writer_(channel) {}
  Progress run() override {
    for (int turn = 0; turn < 100; ++turn) {
      if (!writer_.have_room()) return Progress::idle;
      if (next_ == kCount) {
        if (!std::exchange(ended_, true)) {
          writer_.send_event(EndOfInput{});
          continue;  // the end too may have found no room
        }
        return Progress::finished;
      }
      std::unique_ptr<AnyBatch> batch = writer_.recycled();
      if (batch == nullptr) batch = std::make_unique<Numbers>();
      static_cast<Numbers&>(*batch).append(next_++);
      writer_.send(std::move(batch));
    }
    return Progress::progress;
  }

 private:
  ChannelWriter writer_;
  std::int64_t next_ = 0;
  bool ended_ = false;
};

class Consumer final : public Runnable {
 public:
  explicit Consumer(InputGate& gate) : gate_(gate) {}
  Progress run() override {
    for (int turn = 0; turn < 100; ++turn) {
      GateInput input = gate_.poll();
      if (std::holds_alternative<NoInput>(input)) return Progress::idle;
      if (std::holds_alternative<EndOfInput>(input)) {
        ended = true;
        return Progress::finished;
      }
      auto& batch = std::get<std::unique_ptr<AnyBatch>>(input);
      for (const std::int64_t number : static_cast<Numbers&>(*batch)) {
        if (number != expected++) ++wrong;
      }
      gate_.recycle(std::move(batch));
    }
    return Progress::progress;
  }
  std::int64_t expected = 0;
  std::int64_t wrong = 0;
  std::atomic<bool> ended{false};

 private:
  InputGate& gate_;
};

TEST_CASE("channel: a million batches cross two workers in order, and neither side sleeps for ever",
          "[runtime]") {
  WakeTarget to_consumer;
  WakeTarget to_producer;
  InputGate gate(1, true);
  Channel channel(0, gate.ready_channels(), to_consumer, to_producer);
  gate.set_channel(0, channel);
  Producer producer(channel);
  Consumer consumer(gate);
  {
    ThreadedExecutor executor(2);
    to_consumer.executor = &executor;
    to_producer.executor = &executor;
    const RunnableId consumer_id = executor.add(0, consumer);
    to_consumer.set(consumer_id);
    const RunnableId producer_id = executor.add(1, producer);
    to_producer.set(producer_id);
    to_consumer.wake();
    to_producer.wake();
    for (int i = 0; i < 60'000 && !consumer.ended; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(consumer.ended);
  CHECK(consumer.expected == kCount);
  CHECK(consumer.wrong == 0);
}

}  // namespace
}  // namespace streamrun
