#include <map>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "s3_world.h"

// Two clients, any faults, drawn from a tape: what a client was told is true of what is there.

namespace streamrun {
namespace {

using sim::S3Fault;

class History {
 public:
  explicit History(std::uint64_t seed) : tape_(seed) {
    one_in_ = tape_.pick({2ULL, 4ULL, 10ULL, 100ULL});
    world_.server.fault = [this](const sim::S3Seen&) {
      if (!tape_.one_in(one_in_)) return S3Fault::none;
      return tape_.pick({S3Fault::slow_down, S3Fault::lost_request, S3Fault::lost_reply,
                         S3Fault::internal_error, S3Fault::error_in_success, S3Fault::conflict,
                         S3Fault::half_body, S3Fault::html});
    };
    S3Settings settings = world_.settings();
    settings.attempts = static_cast<int>(tape_.between(1, 6));
    for (int i = 0; i < 2; ++i) clients_.push_back(world_.make(settings));
  }

  void run() {
    for (int step = 0; step < 30; ++step) {
      FileSystem& client = *clients_[tape_.below(2)];
      const std::string name = "f" + std::to_string(tape_.below(4));
      switch (tape_.below(4)) {
        case 0:
          publish(client, name);
          break;
        case 1:
          create(client, name);
          break;
        case 2:
          check_read(client, name);
          break;
        default:
          rename(client, name);
      }
    }
  }

 private:
  std::string fresh_bytes() { return "bytes " + std::to_string(++written_); }

  /// A name whose content is known, and no longer if its owner was not told what became of it.
  void learn(const std::string& name, const std::string& bytes) {
    CHECK(truth_.count(name) == 0);
    truth_[name] = bytes;
  }

  void publish(FileSystem& client, const std::string& name) {
    const std::string bytes = fresh_bytes();
    const Result<bool> done = client.publish("s3://b/r", name, bytes, "a");
    settle(name, bytes, done && *done, done && !*done);
  }

  void create(FileSystem& client, const std::string& name) {
    const std::string bytes = fresh_bytes();
    const Result<void> done = write_s3(client, "s3://b/r/" + name, bytes);
    settle(name, bytes, done.has_value(), !done && done.error().code == ErrorCode::store_io);
  }

  void settle(const std::string& name, const std::string& bytes, bool is_done, bool is_taken) {
    const std::string found = world_.bytes("r/" + name);
    if (is_done) {
      learn(name, bytes);
      CHECK(found == bytes);
    } else if (is_taken) {
      CHECK(found != bytes);
      CHECK(found != "nothing is there");
    } else if (found == bytes) {
      truth_[name] = bytes;  // in doubt for its owner, and there
    }
    check_truth();
  }

  void check_read(FileSystem& client, const std::string& name) {
    const Result<std::string> read = client.read_all("s3://b/r/" + name, kNoLimit);
    if (read) CHECK(*read == world_.bytes("r/" + name));
    if (!read && read.error().code == ErrorCode::path) CHECK(truth_.count(name) == 0);
  }

  void rename(FileSystem& client, const std::string& name) {
    const std::string to = name + "-renamed";
    const auto before = truth_.find(name);
    const std::string bytes = before == truth_.end() ? "" : before->second;
    const bool was_taken = truth_.count(to) > 0;
    const Result<bool> done = client.rename_no_replace("s3://b/r/" + name, "s3://b/r/" + to);
    if (done && *done) {
      CHECK_FALSE(was_taken);
      CHECK(world_.bytes("r/" + to) == bytes);
      CHECK(world_.bytes("r/" + name) == "nothing is there");
    } else if (done) {
      CHECK(was_taken);
    }
    // In doubt the bytes are under one name or both, and never under none.
    follow(name);
    follow(to);
    if (!bytes.empty() && !was_taken)
      CHECK((world_.bytes("r/" + name) == bytes || world_.bytes("r/" + to) == bytes));
    check_truth();
  }

  void follow(const std::string& name) {
    const std::string found = world_.bytes("r/" + name);
    if (found == "nothing is there") {
      truth_.erase(name);
    } else {
      truth_[name] = found;
    }
  }

  void check_truth() {
    for (const auto& [name, bytes] : truth_) CHECK(world_.bytes("r/" + name) == bytes);
  }

  sim::Tape tape_;
  S3World world_;
  std::vector<std::unique_ptr<FileSystem>> clients_;
  std::uint64_t one_in_ = 0;
  int written_ = 0;
  std::map<std::string, std::string> truth_;
};

TEST_CASE("s3: in no history is a client told what is not so", "[s3]") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    INFO("seed " << seed);
    History(seed).run();
  }
}

}  // namespace
}  // namespace streamrun
