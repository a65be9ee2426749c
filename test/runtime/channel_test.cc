#include <streamrun/platform/threaded_executor.h>
#include <streamrun/runtime/channel.h>
#include <streamrun/runtime/input_gate.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <thread>
#include <vector>

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

std::set<std::size_t> taken_from(ReadyChannels& ready) {
  std::set<std::size_t> channels;
  ready.take([&](std::size_t word, std::uint64_t bits) {
    for (std::size_t bit = 0; bit < 64; ++bit) {
      if ((bits >> bit & 1U) != 0) channels.insert(word * 64 + bit);
    }
  });
  return channels;
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

TEST_CASE("ready channels: each mark is taken once, of however many channels", "[runtime]") {
  const std::size_t channels = GENERATE(1U, 64U, 65U, 512U, 513U, 1001U, 4096U, 4097U, 10'000U);
  ReadyChannels ready(channels);
  CHECK_FALSE(ready.any());
  CHECK(taken_from(ready).empty());
  const std::set<std::size_t> marked{0, channels / 2, channels - 1};
  for (int round = 0; round < 2; ++round) {
    for (const std::size_t channel : marked) ready.mark(channel);
    CHECK(ready.any());
    CHECK(taken_from(ready) == marked);
    CHECK_FALSE(ready.any());
    CHECK(taken_from(ready).empty());
  }
}

TEST_CASE("ready channels: no mark is lost between threads", "[runtime]") {
  // Each writer waits until its mark was taken, so one that is lost is waited for without end.
  const std::size_t channels = GENERATE(130U, 1001U);
  constexpr int kRounds = 20'000;
  ReadyChannels ready(channels);
  std::vector<std::atomic<int>> taken(channels);
  std::vector<std::thread> writers;
  for (const std::size_t channel : {std::size_t{0}, std::size_t{1}, channels - 1}) {
    writers.emplace_back([&ready, &taken, channel] {
      for (int round = 0; round < kRounds; ++round) {
        ready.mark(channel);
        while (taken[channel] == round) std::this_thread::yield();
      }
    });
  }
  int left = 3 * kRounds;
  while (left > 0) {
    const std::set<std::size_t> found = taken_from(ready);
    for (const std::size_t channel : found) ++taken[channel];
    left -= static_cast<int>(found.size());
    if (found.empty()) std::this_thread::yield();
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(taken_from(ready).empty());
}

TEST_CASE("channel: a push marks the channel ready and wakes the consumer", "[runtime]") {
  OneChannel world;
  StreamElement element = element_of(5);
  REQUIRE(world.channel.try_push(element));
  CHECK(taken_from(world.ready) == std::set<std::size_t>{0});
  CHECK(taken_from(world.ready).empty());
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
