#include "network.h"

#include <streamrun/base/assert.h>
#include <streamrun/platform/start_thread.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

namespace streamrun {
namespace {

constexpr int kPollMilliseconds = 1000;
constexpr long kMostConnections = 64;

CURLM* make_multi() {
  static const CURLcode kReady = curl_global_init(CURL_GLOBAL_DEFAULT);
  SR_ASSERT(kReady == CURLE_OK, "libcurl starts");
  CURLM* const multi = curl_multi_init();
  SR_ASSERT(multi != nullptr, "there is memory for libcurl");
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, kMostConnections);
  return multi;
}

}  // namespace

Network::Network()
    : multi_(make_multi()), thread_(start_thread("sr-network", [this] { work(); })) {}

Network::~Network() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  wake();
  thread_.join();
}

void Network::add(std::shared_ptr<CurlTransfer> transfer) {
  transfer->network = this;
  curl_easy_setopt(transfer->easy.get(), CURLOPT_READFUNCTION, &Network::take_from);
  curl_easy_setopt(transfer->easy.get(), CURLOPT_READDATA, transfer.get());
  {
    const std::lock_guard lock(mutex_);
    added_.push_back(std::move(transfer));
  }
  wake();
}

Result<HttpResponse> Network::wait(CurlTransfer& transfer) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return transfer.result.has_value(); });
  return transfer.outcome();
}

/// With `lock` held.
template <typename Condition>
bool Network::wait_while_moving(std::unique_lock<std::mutex>& lock, CurlTransfer& transfer,
                                Duration timeout, Condition until) {
  while (!until()) {
    const std::uint64_t moved = transfer.moved_bytes;
    const bool has_changed =
        changed_.wait_for(lock, timeout, [&] { return until() || transfer.moved_bytes != moved; });
    if (!has_changed) return false;
  }
  return true;
}

bool Network::send(const std::shared_ptr<CurlTransfer>& transfer, std::string_view bytes,
                   std::size_t most, Duration timeout) {
  std::unique_lock lock(mutex_);
  if (transfer->result) return false;
  // What was taken goes before more comes, so that it never holds more than `most` and these bytes.
  transfer->outgoing.erase(0, std::exchange(transfer->outgoing_from, 0));
  transfer->outgoing.append(bytes);
  let_go_on(transfer);
  const auto has_room = [&] {
    return transfer->result || transfer->outgoing.size() - transfer->outgoing_from <= most;
  };
  return wait_while_moving(lock, *transfer, timeout, has_room) && !transfer->result;
}

bool Network::end(const std::shared_ptr<CurlTransfer>& transfer, Duration timeout) {
  std::unique_lock lock(mutex_);
  transfer->has_ended = true;
  let_go_on(transfer);
  return wait_while_moving(lock, *transfer, timeout, [&] { return transfer->result.has_value(); });
}

/// With the mutex held.
void Network::let_go_on(const std::shared_ptr<CurlTransfer>& transfer) {
  if (!std::exchange(transfer->is_paused, false)) return;
  to_go_on_.push_back(transfer);
  wake();
}

bool Network::has_ended(const CurlTransfer& transfer) {
  const std::lock_guard lock(mutex_);
  return transfer.result.has_value();
}

void Network::drop(std::shared_ptr<CurlTransfer> transfer) {
  const std::lock_guard lock(mutex_);
  if (!transfer->result) {
    transfer->is_dropped = true;
    wake();
  }
  // Under the mutex, as where the network lets go of it: one of the two is the last.
  transfer.reset();
}

/// CURLOPT_READFUNCTION.
std::size_t Network::take_from(char* into, std::size_t size, std::size_t count, void* of) {
  auto& transfer = *static_cast<CurlTransfer*>(of);
  Network& network = *transfer.network;
  const std::lock_guard lock(network.mutex_);
  const std::size_t there = transfer.outgoing.size() - transfer.outgoing_from;
  if (there == 0 && transfer.has_ended) return 0;
  if (there == 0) {
    transfer.is_paused = true;
    return CURL_READFUNC_PAUSE;
  }
  const std::size_t taken = std::min(there, size * count);
  std::memcpy(into, transfer.outgoing.data() + transfer.outgoing_from, taken);
  transfer.outgoing_from += taken;
  transfer.moved_bytes += taken;
  network.changed_.notify_all();
  return taken;
}

void Network::work() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (is_ending_) break;
    }
    take_orders();
    int running = 0;
    const CURLMcode moved = curl_multi_perform(multi_.get(), &running);
    take_results();
    const CURLMcode waited = curl_multi_poll(multi_.get(), nullptr, 0, kPollMilliseconds, nullptr);
    SR_ASSERT(moved == CURLM_OK && waited == CURLM_OK, "libcurl moves its transfers");
  }
  for (const auto& transfer : under_way_)
    curl_multi_remove_handle(multi_.get(), transfer->easy.get());
  under_way_.clear();
}

void Network::take_orders() {
  std::vector<std::shared_ptr<CurlTransfer>> added;
  std::vector<std::shared_ptr<CurlTransfer>> to_go_on;
  std::vector<const CURL*> dropped;
  {
    const std::lock_guard lock(mutex_);
    added.swap(added_);
    to_go_on.swap(to_go_on_);
    for (const auto& transfer : under_way_) {
      if (transfer->is_dropped) dropped.push_back(transfer->easy.get());
    }
  }
  for (auto& transfer : added) {
    const CURLMcode taken = curl_multi_add_handle(multi_.get(), transfer->easy.get());
    SR_ASSERT(taken == CURLM_OK, "libcurl takes a new transfer");
    under_way_.push_back(std::move(transfer));
  }
  for (const CURL* easy : dropped) forget(easy, CURLE_ABORTED_BY_CALLBACK);
  for (const auto& transfer : to_go_on) {
    // One that has ended is no longer libcurl's to go on with. This may call `take_from`.
    if (std::find(under_way_.begin(), under_way_.end(), transfer) != under_way_.end())
      curl_easy_pause(transfer->easy.get(), CURLPAUSE_CONT);
  }
  if (to_go_on.empty()) return;
  const std::lock_guard lock(mutex_);
  to_go_on.clear();
}

void Network::take_results() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg == CURLMSG_DONE) forget(message->easy_handle, message->data.result);
  }
}

void Network::forget(const CURL* easy, CURLcode result) {
  const auto found = std::find_if(under_way_.begin(), under_way_.end(), [&](const auto& transfer) {
    return transfer->easy.get() == easy;
  });
  if (found == under_way_.end()) return;
  std::shared_ptr<CurlTransfer> transfer = std::move(*found);
  under_way_.erase(found);
  curl_multi_remove_handle(multi_.get(), transfer->easy.get());
  const std::lock_guard lock(mutex_);
  transfer->result = result;
  changed_.notify_all();
  // Before the caller sees the result, and under the mutex as in `drop`.
  transfer.reset();
}

}  // namespace streamrun
