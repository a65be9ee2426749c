#include <streamrun/base/checksum.h>
#include <streamrun/state/shared_file.h>
#include <streamrun/state/snapshot_file_writer.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "queued_io.h"
#include "sim/memory_file_system.h"

namespace streamrun {
namespace {

const std::string kUuid(32, 'e');

/// A registry that grants when it is told to.
struct Registry {
  SharedFolder folder() {
    return {.directory = "/job/shared",
            .claim =
                [this](std::string name, UniqueFunction<void()> granted) {
                  claimed.push_back(std::move(name));
                  waiting.push_back(std::move(granted));
                },
            .let_go = [this](std::string name) { let_go.push_back(std::move(name)); }};
  }
  void grant() {
    for (auto& granted : std::exchange(waiting, {})) granted();
  }
  std::vector<std::string> claimed;
  std::vector<std::string> let_go;
  std::vector<UniqueFunction<void()>> waiting;
};

struct Writing {
  explicit Writing(sim::MemoryFileSystem& store, std::uint64_t inline_threshold = 0)
      : files(store) {
    files.create_directories("/job/shared").value();
    writer = std::make_shared<SnapshotFileWriter>(io, io.poster(), &files, registry.folder(), kUuid,
                                                  inline_threshold);
  }
  void write(const std::string& bytes) {
    writer->append(bytes);
    writer->finish([this](Result<StateHandle> handle) {
      CHECK_FALSE(result);
      result = std::move(handle);
    });
  }
  void settle() {
    io.settle();
    while (!registry.waiting.empty()) {
      registry.grant();
      io.settle();
    }
  }

  sim::MemoryFileSystem& files;
  QueuedIo io;
  Registry registry;
  std::shared_ptr<SnapshotFileWriter> writer;
  std::optional<Result<StateHandle>> result;
};

std::string name_of(const std::string& bytes) {
  return xxh3_128_hex(bytes) + "-" + std::to_string(bytes.size());
}
std::string path_of(const std::string& bytes) {
  return "/job/shared/" + name_of(bytes);
}

TEST_CASE("shared file writer: a file has the name of its content, once that is claimed",
          "[state]") {
  sim::MemoryFileSystem files;
  Writing writing(files);
  writing.write("the bytes");
  writing.io.settle();
  CHECK(writing.registry.claimed == std::vector<std::string>{name_of("the bytes")});
  CHECK_FALSE(writing.result);
  CHECK(files.files() ==
        std::map<std::string, std::string>{{"/job/shared/.tmp-" + kUuid, "the bytes"}});
  writing.settle();
  REQUIRE(writing.result);
  REQUIRE(*writing.result);
  REQUIRE((**writing.result).file);
  const StateFile& file = *(**writing.result).file;
  CHECK(file.path == "../shared/" + name_of("the bytes"));
  CHECK(is_shared_path(file.path));
  CHECK(shared_file_name(file) == name_of("the bytes"));
  CHECK(file.length == 9);
  CHECK(files.files() == std::map<std::string, std::string>{{path_of("the bytes"), "the bytes"}});
  CHECK(writing.registry.let_go.empty());
}

TEST_CASE("shared file writer: what is small stays inline, and claims nothing", "[state]") {
  sim::MemoryFileSystem files;
  Writing writing(files, 10);
  writing.write("the bytes");
  writing.settle();
  REQUIRE(writing.result);
  CHECK((**writing.result).inline_bytes == "the bytes");
  CHECK(writing.registry.claimed.empty());
  CHECK(files.files().empty());
}

TEST_CASE("shared file writer: equal bytes of two writers are one file", "[state]") {
  sim::MemoryFileSystem files;
  const std::string bytes(3U << 20U, 'x');
  for (int i = 0; i < 2; ++i) {
    Writing writing(files);
    writing.write(bytes);
    writing.settle();
    REQUIRE(writing.result);
    REQUIRE(*writing.result);
    CHECK((**writing.result).file->path == "../shared/" + name_of(bytes));
  }
  CHECK(files.files().size() == 1);
}

TEST_CASE("shared file writer: other bytes under the name fail it, and stay (R6)", "[state]") {
  sim::MemoryFileSystem files;
  files.create_directories("/job/shared").value();
  const std::string other = GENERATE("other byt", "the bytes and more", "");
  files.create(path_of("the bytes")).value()->append(other).value();
  Writing writing(files);
  writing.write("the bytes");
  writing.settle();
  REQUIRE(writing.result);
  REQUIRE_FALSE(*writing.result);
  CHECK(writing.result->error().code == ErrorCode::state_corrupt);
  CHECK(files.files() == std::map<std::string, std::string>{{path_of("the bytes"), other}});
}

TEST_CASE("shared file writer: a call that fails at any step fails the file, and leaves no rubbish",
          "[state]") {
  const bool is_there = GENERATE(false, true);
  for (std::uint64_t step = 1;; ++step) {
    INFO("step " << step);
    sim::MemoryFileSystem files;
    Writing writing(files);
    if (is_there) {
      auto file = files.create(path_of("the bytes")).value();
      file->append("the bytes").value();
    }
    const std::uint64_t failing = files.steps() + step;
    files.fail_call(failing, {.code = ErrorCode::store_io, .message = "injected"});
    writing.write("the bytes");
    writing.settle();
    REQUIRE(writing.result);
    const bool reached = files.steps() >= failing;
    if (*writing.result) {
      CHECK(files.files().at(path_of("the bytes")) == "the bytes");
    } else {
      CHECK(files.files().size() == (is_there ? 1 : 0));
    }
    if (!reached) {
      CHECK(*writing.result);
      return;
    }
  }
}

TEST_CASE("shared file writer: what is abandoned leaves no temporary file, and lets the name go",
          "[state]") {
  sim::MemoryFileSystem files;
  Writing writing(files);
  // It is being written; its name is claimed; that is granted, and no job has run; it has the name.
  const int stage = GENERATE(0, 1, 2, 3);
  INFO("stage " << stage);
  writing.write("the bytes");
  if (stage > 0) writing.io.settle();
  if (stage > 1) {
    writing.registry.grant();
    writing.io.deliver();
  }
  if (stage > 2) writing.io.run_job();
  int answers = 0;
  writing.writer->abandon([&](const Result<StateHandle>& handle) {
    ++answers;
    REQUIRE_FALSE(handle);
    CHECK(handle.error().code == ErrorCode::cancelled);
  });
  const bool late_grant = GENERATE(false, true);
  if (late_grant || stage > 1) {
    writing.settle();
  } else {
    writing.io.settle();
  }
  CHECK(answers == 1);
  CHECK_FALSE(writing.result);
  CHECK(files.files().count("/job/shared/.tmp-" + kUuid) == 0);
  CHECK(files.files().size() == (stage > 1 ? 1 : 0));  // whoever keeps count removes that
  const bool granted = stage > 1 || (stage == 1 && late_grant);
  CHECK(writing.registry.let_go.size() == (granted ? 1 : 0));
}

TEST_CASE("shared file writer: the bytes are durable when it says so (D1)", "[state]") {
  sim::MemoryFileSystem files;
  Writing writing(files);
  writing.write("the bytes");
  writing.settle();
  REQUIRE(writing.result);
  files.sync_directory("/job/shared").value();
  files.power_cut([](std::size_t) { return std::size_t{0}; });
  CHECK(files.files() == std::map<std::string, std::string>{{path_of("the bytes"), "the bytes"}});
}

}  // namespace
}  // namespace streamrun
