#include <streamrun/base/checksum.h>
#include <streamrun/state/snapshot_file_writer.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "queued_io.h"
#include "sim/memory_file_system.h"
#include "storage/test_stores.h"

namespace streamrun {
namespace {

struct Writing {
  explicit Writing(std::uint64_t inline_threshold) {
    files.create_directories("/chk-1").value();
    writer = std::make_shared<SnapshotFileWriter>(io, io.poster(), &files, "/chk-1", "state",
                                                  inline_threshold);
  }
  void finish() {
    writer->finish([this](Result<StateHandle> handle) {
      CHECK_FALSE(result);
      result = std::move(handle);
    });
  }
  std::string written() const { return files.files().at("/chk-1/state"); }

  sim::MemoryFileSystem files;
  QueuedIo io;
  std::shared_ptr<SnapshotFileWriter> writer;
  std::optional<Result<StateHandle>> result;
};

TEST_CASE("snapshot file writer: what is small stays inline, and no file is made", "[state]") {
  Writing writing(10);
  writing.writer->append("12345");
  writing.writer->append("");
  writing.writer->append("67890");
  CHECK(writing.io.idle());
  writing.finish();
  REQUIRE(writing.result);
  REQUIRE(*writing.result);
  CHECK((**writing.result).inline_bytes == "1234567890");
  CHECK_FALSE((**writing.result).file);
  CHECK(writing.files.files().empty());
}

TEST_CASE("snapshot file writer: without a store everything stays inline", "[state]") {
  QueuedIo io;
  auto writer = std::make_shared<SnapshotFileWriter>(io, io.poster(), nullptr, "", "state", 0);
  writer->append(std::string(100000, 'x'));
  std::optional<Result<StateHandle>> result;
  writer->finish([&](Result<StateHandle> handle) { result = std::move(handle); });
  REQUIRE(result);
  CHECK((**result).inline_bytes == std::string(100000, 'x'));
  CHECK(io.idle());
}

TEST_CASE("snapshot file writer: one byte above the threshold makes a file with all of it",
          "[state]") {
  Writing writing(10);
  writing.writer->append("1234567890");
  writing.writer->append("x");
  writing.finish();
  CHECK_FALSE(writing.result);
  writing.io.settle();
  REQUIRE(writing.result);
  REQUIRE(*writing.result);
  const StateHandle& handle = **writing.result;
  CHECK(handle.inline_bytes.empty());
  REQUIRE(handle.file);
  CHECK(handle.file->path == "state");
  CHECK(handle.file->length == 11);
  CHECK(handle.file->xxh3 == xxh3_128_hex("1234567890x"));
  CHECK(handle.file->crc32c == std::vector<std::uint32_t>{crc32c("1234567890x")});
  CHECK(writing.written() == "1234567890x");
}

TEST_CASE(
    "snapshot file writer: the bytes on disk are those appended, in order, however I/O is delayed",
    "[state]") {
  const std::uint64_t seed = GENERATE(1, 2, 3, 4, 5, 6);
  INFO("seed " << seed);
  SeededRandom random(seed);
  Writing writing(random.below(5000));
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    const std::string part(random.below(30000), static_cast<char>('a' + random.below(26)));
    expected += part;
    writing.writer->append(part);
    if (random.below(3) == 0) writing.io.run_job();
    if (random.below(3) == 0) writing.io.deliver();
  }
  writing.finish();
  writing.io.settle();
  REQUIRE(writing.result);
  REQUIRE(*writing.result);
  const StateFile& file = *(**writing.result).file;
  CHECK(writing.written() == expected);
  CHECK(file.length == expected.size());
  CHECK(file.xxh3 == xxh3_128_hex(expected));
  std::vector<std::uint32_t> blocks;
  for (std::size_t at = 0; at < expected.size(); at += 1U << 20U)
    blocks.push_back(crc32c(expected.substr(at, 1U << 20U)));
  CHECK(file.crc32c == blocks);
}

TEST_CASE("snapshot file writer: the bytes are durable when it says so (D1)", "[state]") {
  Writing writing(0);
  writing.files.sync_directory("/chk-1").value();
  writing.writer->append("durable");
  writing.finish();
  writing.io.settle();
  REQUIRE(*writing.result);
  writing.files.sync_directory("/chk-1").value();  // names are synced by whoever publishes
  SeededRandom random(1);
  writing.files.power_cut(random);
  CHECK(writing.written() == "durable");
}

TEST_CASE("snapshot file writer: is behind until the disk has taken what was appended or lent",
          "[state]") {
  Writing writing(0);
  CHECK_FALSE(writing.writer->is_behind());
  const std::uint64_t part = 3U << 20U;
  const bool is_lent = GENERATE(true, false);
  if (is_lent) {
    writing.writer->append(
        StateBytes(), [](StateBytes& bytes, StateBytes&) { *bytes.extend(1) = 'x'; }, part);
  } else {
    writing.writer->append(std::string(part, 'x'));
  }
  writing.writer->append("678");
  CHECK(writing.writer->is_behind());
  writing.io.run_job();
  CHECK(writing.writer->is_behind());
  writing.io.deliver();
  CHECK_FALSE(writing.writer->is_behind());
  CHECK(writing.io.idle());
}

TEST_CASE("snapshot file writer: in memory what is lent is read at once", "[state]") {
  QueuedIo io;
  const auto writer =
      std::make_shared<SnapshotFileWriter>(io, io.poster(), nullptr, "/chk-1", "state", 0);
  bool is_read = false;
  writer->append(
      StateBytes(),
      [&](StateBytes& bytes, StateBytes&) {
        *bytes.extend(1) = 'x';
        is_read = true;
      },
      100U << 20U);
  CHECK(is_read);
  CHECK_FALSE(writer->is_behind());
  std::string written;
  writer->finish([&](Result<StateHandle> handle) { written = handle.value().inline_bytes; });
  CHECK(written == "x");
  CHECK(io.idle());
}

TEST_CASE("snapshot file writer: what is lent is read before anything of its job is written",
          "[state]") {
  Writing writing(0);
  std::size_t files_then = 1;
  writing.writer->append(std::string(1U << 20U, 'x'));  // more waits behind it
  writing.writer->append(
      StateBytes(),
      [&](StateBytes& bytes, StateBytes&) {
        std::fill_n(bytes.extend(1U << 20U), 1U << 20U, 'y');
        files_then = writing.files.files().size();
      },
      1U << 20U);
  writing.finish();
  writing.io.settle();
  REQUIRE(*writing.result);
  CHECK(files_then == 0);
  CHECK(writing.written().size() == 2U << 20U);
}

TEST_CASE("snapshot file writer: little waits for more, so that I/O threads are not woken for it",
          "[state]") {
  Writing writing(0);
  writing.writer->append("12345");
  CHECK(writing.io.idle());
  writing.finish();
  CHECK_FALSE(writing.io.idle());
  writing.io.settle();
  CHECK(writing.written() == "12345");
}

TEST_CASE("snapshot file writer: bytes are encoded once, in order, where they are written",
          "[state]") {
  Writing writing(4);
  std::string order;
  const auto shorten = [&](const std::string& text) {
    StateBytes bytes;
    std::copy(text.begin(), text.end(), bytes.extend(text.size()));
    writing.writer->append(std::move(bytes), [&order, text](StateBytes& all, StateBytes& scratch) {
      order += text[0];
      scratch.clear();
      *scratch.extend(1) = all[0];
      std::swap(all, scratch);
    });
  };
  const bool is_small = GENERATE(true, false);
  const std::string rest(2U << 20U, 'x');
  shorten("a" + rest);
  shorten("b");
  if (!is_small) writing.writer->append("12345");
  shorten("c");
  CHECK(order.empty());
  writing.finish();
  writing.io.settle();
  CHECK(order == "abc");
  REQUIRE(*writing.result);
  // What is small when it is encoded stays inline, however large it was before.
  CHECK((**writing.result).inline_bytes == (is_small ? "abc" : ""));
  CHECK((**writing.result).file.has_value() == !is_small);
  CHECK(writing.files.files().size() == (is_small ? 0 : 1));
  if (!is_small) CHECK(writing.written() == "ab12345c");
}

TEST_CASE("snapshot file writer: a call that fails at any step fails the file, once", "[state]") {
  std::uint64_t steps = 0;
  {
    Writing writing(0);
    const std::uint64_t before = writing.files.steps();
    writing.writer->append("one");
    writing.io.settle();
    writing.writer->append("two");
    writing.finish();
    writing.io.settle();
    steps = writing.files.steps() - before;
  }
  REQUIRE(steps == 5);  // create, append, append, sync, close
  for (std::uint64_t step = 1; step <= steps; ++step) {
    INFO("step " << step);
    Writing writing(0);
    writing.files.fail_call(writing.files.steps() + step,
                            {.code = ErrorCode::store_full, .message = "full"});
    writing.writer->append("one");
    writing.io.settle();
    writing.writer->append("two");
    writing.finish();
    writing.io.settle();
    REQUIRE(writing.result);
    REQUIRE_FALSE(*writing.result);
    CHECK(writing.result->error().code == ErrorCode::store_full);
  }
}

TEST_CASE("snapshot file writer: what is abandoned leaves no file", "[state]") {
  Writing writing(0);
  const std::string much(2U << 20U, 'x');
  // Nothing yet; a job that has not run; its mail on the way; a file and no job; the last job.
  const int stage = GENERATE(0, 1, 2, 3, 4);
  INFO("stage " << stage);
  if (stage > 0) writing.writer->append(much);
  if (stage > 1) writing.io.run_job();
  if (stage == 3) writing.io.settle();
  if (stage == 4) {
    writing.finish();
    writing.io.deliver();
    writing.io.run_job();
  }
  CHECK(writing.files.files().size() == (stage > 1 ? 1 : 0));
  int answers = 0;
  writing.writer->abandon([&](const Result<StateHandle>& handle) {
    ++answers;
    REQUIRE_FALSE(handle);
    CHECK(handle.error().code == ErrorCode::cancelled);
    CHECK(writing.files.files().empty());
  });
  writing.io.settle();
  CHECK(answers == 1);
  CHECK_FALSE(writing.result);
  CHECK(writing.files.files().empty());
}

}  // namespace
}  // namespace streamrun
