#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "curl_transfer.h"

namespace streamrun {

/// The thread that moves all transfers of one transport. Its functions are called by other threads.
class Network {
 public:
  Network();
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  void add(std::shared_ptr<CurlTransfer> transfer);
  /// Waits until the transfer has ended.
  Result<HttpResponse> wait(CurlTransfer& transfer);
  /// Hands over more of a streamed body, and waits while more than `most` bytes are not taken.
  /// False if the transfer has ended, or was broken off because nothing moved for `timeout`.
  bool send(const std::shared_ptr<CurlTransfer>& transfer, std::string_view bytes, std::size_t most,
            Duration timeout);
  /// The body ends here; waits for the response while something moves. False as `send`.
  bool end(const std::shared_ptr<CurlTransfer>& transfer, Duration timeout);
  bool has_ended(const CurlTransfer& transfer);
  /// Breaks it off if it has not ended.
  void drop(std::shared_ptr<CurlTransfer> transfer);

 private:
  struct MultiRelease {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };
  static std::size_t take_from(char* into, std::size_t size, std::size_t count, void* of);
  void work();
  void take_orders();
  void take_results();
  void forget(const CURL* easy, CURLcode result);
  void let_go_on(const std::shared_ptr<CurlTransfer>& transfer);
  void wake() { curl_multi_wakeup(multi_.get()); }
  template <typename Condition>
  bool wait_while_moving(std::unique_lock<std::mutex>& lock, CurlTransfer& transfer,
                         Duration timeout, Condition until);

  std::unique_ptr<CURLM, MultiRelease> multi_;
  std::mutex mutex_;
  std::condition_variable changed_;                       // of any transfer
  std::vector<std::shared_ptr<CurlTransfer>> added_;      // guarded by mutex_
  std::vector<std::shared_ptr<CurlTransfer>> to_go_on_;   // guarded by mutex_
  std::vector<std::shared_ptr<CurlTransfer>> under_way_;  // the thread's own
  bool is_ending_ = false;                                // guarded by mutex_
  std::thread thread_;
};

}  // namespace streamrun
