#include <atomic>
#include <cerrno>
#include <filesystem>
#include <string>
#include <thread>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_stores.h"

namespace streamrun {
namespace {

constexpr std::uint64_t kNoLimit = 1U << 30U;

struct Local {
  TemporaryFolder folder;
  std::unique_ptr<FileSystem> files = make_local_file_system();
  std::string path(std::string_view name) const { return folder.path(name); }
};

void link_to(const std::string& target, const std::string& path) {
  REQUIRE(::symlink(target.c_str(), path.c_str()) == 0);
}

mode_t mode_of(const std::string& path) {
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  return found.st_mode & 07777U;
}

/// Runs `body` in a child without the privileges of root, and returns whether it held.
template <typename Body>
bool holds_for_ordinary_user(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    const bool dropped = ::geteuid() != 0 || (::setgid(65534) == 0 && ::setuid(65534) == 0);
    ::_exit(dropped && body() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_CASE("local file system: new files are 0640 and folders 0750", "[storage]") {
  const mode_t before = ::umask(0);
  Local local;
  write_file(*local.files, local.path("f"), "x");
  CHECK(local.files->create_directory(local.path("d")).value());
  CHECK(mode_of(local.path("f")) == 0640);
  CHECK(mode_of(local.path("d")) == 0750);
  ::umask(before);
}

TEST_CASE("local file system: open follows a link, open_no_follow refuses it", "[storage]") {
  Local local;
  write_file(*local.files, local.path("f"), "abc");
  link_to("f", local.path("l"));
  CHECK(local.files->read_all(local.path("l"), kNoLimit).value() == "abc");
  const auto refused = local.files->open_no_follow(local.path("l"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::store_io);
  CHECK_THAT(refused.error().message, Catch::Contains("symbolic link"));
  CHECK(local.files->open_no_follow(local.path("f")));
}

TEST_CASE("local file system: what was just written is read without waiting, and never less of it",
          "[storage]") {
  Local local;
  write_file(*local.files, local.path("f"), "0123456789");
  const std::unique_ptr<ReadableFile> file = local.files->open(local.path("f")).value();
  std::string into(10, ' ');
  CHECK(file->read_now(2, into.data(), 5));
  CHECK(into.substr(0, 5) == "23456");
  CHECK_FALSE(file->read_now(5, into.data(), 6));
  CHECK_FALSE(file->read_now(10, into.data(), 1));
}

TEST_CASE("local file system: status of a link is that of what it leads to", "[storage]") {
  Local local;
  write_file(*local.files, local.path("f"), "abc");
  link_to("f", local.path("to-file"));
  link_to(".", local.path("to-folder"));
  link_to("missing", local.path("to-nothing"));
  link_to("loop", local.path("loop"));
  const FileStatus file = local.files->status(local.path("to-file")).value();
  CHECK(file.kind == FileKind::file);
  CHECK(file.is_link);
  CHECK(file.size == 3);
  CHECK(file.identity == local.files->status(local.path("f")).value().identity);
  CHECK(local.files->status(local.path("to-folder")).value().kind == FileKind::directory);
  CHECK(local.files->status(local.path("to-nothing")).value().kind == FileKind::link);
  CHECK(local.files->status(local.path("loop")).value().kind == FileKind::link);
  CHECK(local.files->list(local.folder.path()).value().size() == 5);
  CHECK(local.files->open(local.path("loop")).error().code == ErrorCode::store_io);
}

TEST_CASE("local file system: create writes through no link, even to nothing", "[storage]") {
  Local local;
  link_to("target", local.path("l"));
  CHECK_FALSE(local.files->create(local.path("l")));
  CHECK_FALSE(local.files->exists(local.path("target")).value());
  CHECK_FALSE(local.files->lock(local.path("l"), "note"));
  CHECK_FALSE(local.files->exists(local.path("target")).value());
}

TEST_CASE("local file system: a rename replaces no link either", "[storage]") {
  Local local;
  write_file(*local.files, local.path("f"), "x");
  link_to("missing", local.path("l"));
  CHECK_FALSE(local.files->rename_no_replace(local.path("f"), local.path("l")).value());
  CHECK(local.files->exists(local.path("f")).value());
}

TEST_CASE("local file system: removing a link leaves what it leads to", "[storage]") {
  Local local;
  write_file(*local.files, local.path("f"), "x");
  link_to("f", local.path("l"));
  CHECK(local.files->remove_file(local.path("l")).value());
  CHECK(local.files->exists(local.path("f")).value());
}

TEST_CASE("local file system: a FIFO, a device and a socket are refused without waiting",
          "[storage]") {
  Local local;
  REQUIRE(::mkfifo(local.path("fifo").c_str(), 0600) == 0);
  const int server = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  local.path("socket").copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  for (const std::string& path :
       {local.path("fifo"), local.path("socket"), std::string("/dev/null")}) {
    CHECK(local.files->open(path).error().code == ErrorCode::store_io);
    CHECK(local.files->open_no_follow(path).error().code == ErrorCode::store_io);
    CHECK(local.files->status(path).value().kind == FileKind::other);
  }
  ::close(server);
}

TEST_CASE("local file system: a NUL byte in a path names nothing", "[storage]") {
  Local local;
  write_file(*local.files, local.path("f"), "x");
  const std::string path = local.path("f") + std::string("\0.tmp", 5);
  CHECK(local.files->open(path).error().code == ErrorCode::path);
  CHECK(local.files->create(path).error().code == ErrorCode::path);
  CHECK(local.files->status(path).error().code == ErrorCode::path);
  CHECK(local.files->remove_file(path).error().code == ErrorCode::path);
  CHECK(local.files->exists(local.path("f")).value());
}

TEST_CASE("local file system: what a user may not do is E-PERM, and unreadable is not gone",
          "[storage]") {
  Local local;
  write_file(*local.files, local.path("secret"), "x");
  REQUIRE(::chmod(local.path("secret").c_str(), 0) == 0);
  CHECK(local.files->create_directory(local.path("closed")).value());
  write_file(*local.files, local.path("closed/f"), "x");
  REQUIRE(::chmod(local.path("closed").c_str(), 0) == 0);
  REQUIRE(::chmod(local.folder.path().c_str(), 0555) == 0);
  FileSystem& files = *local.files;
  const auto denied = [](const auto& result) {
    return !result && result.error().code == ErrorCode::permission;
  };
  CHECK(holds_for_ordinary_user([&] { return denied(files.open(local.path("secret"))); }));
  CHECK(holds_for_ordinary_user([&] { return denied(files.create(local.path("new"))); }));
  CHECK(holds_for_ordinary_user([&] { return denied(files.create_directory(local.path("new"))); }));
  CHECK(holds_for_ordinary_user([&] { return denied(files.exists(local.path("closed/f"))); }));
  CHECK(holds_for_ordinary_user([&] { return denied(files.list(local.path("closed"))); }));
  CHECK(holds_for_ordinary_user([&] { return denied(files.lock(local.path("lock"), "note")); }));
  REQUIRE(::chmod(local.folder.path().c_str(), 0755) == 0);
  REQUIRE(::chmod(local.path("closed").c_str(), 0755) == 0);
}

TEST_CASE("local file system: a full disk is E-STORE-FULL", "[storage]") {
  if (::access("/dev/full", W_OK) != 0) return;
  Local local;
  // The device fails each write as a full disk does; a hard-wired name is the only way to it.
  link_to("/dev/full", local.path("full"));
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(full >= 0);
  const std::unique_ptr<WritableFile> file = local.files->create(local.path("f")).value();
  // The descriptor of the new file is made to lead to the device.
  for (int number = 3; number < full + 16; ++number) {
    struct stat open_one {};
    struct stat named {};
    REQUIRE(::stat(local.path("f").c_str(), &named) == 0);
    if (::fstat(number, &open_one) == 0 && open_one.st_ino == named.st_ino &&
        open_one.st_dev == named.st_dev) {
      REQUIRE(::dup2(full, number) == number);
    }
  }
  const Result<void> written = file->append("x");
  REQUIRE_FALSE(written);
  CHECK(written.error().code == ErrorCode::store_full);
  CHECK(written.error().where == local.path("f"));
  CHECK(written.error().why == "No space left on device");
  ::close(full);
}

TEST_CASE("local file system: a lock ends with its process, and its file is taken over",
          "[storage]") {
  Local local;
  const std::string path = local.path(".lock");
  int ready[2] = {-1, -1};
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = local.files->lock(path, "child");
    const char state = lock ? 'y' : 'n';
    if (::write(ready[1], &state, 1) != 1) ::_exit(1);
    while (true) ::pause();
  }
  char state = 'n';
  REQUIRE(::read(ready[0], &state, 1) == 1);
  REQUIRE(state == 'y');
  CHECK_THAT(local.files->lock(path, "parent").error().message, Catch::Contains("child"));
  REQUIRE(::kill(child, SIGKILL) == 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(local.files->lock(path, "parent"));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("local file system: who only looks at a lock does not keep others from it", "[storage]") {
  Local local;
  const std::string path = local.path(".lock");
  REQUIRE(local.files->lock(path, "first"));
  std::atomic<bool> ends{false};
  std::thread looks([&] {
    while (!ends) static_cast<void>(local.files->lock_holder(path));
  });
  int refused = 0;
  for (int i = 0; i < 2000; ++i) refused += local.files->lock(path, "again") ? 0 : 1;
  ends = true;
  looks.join();
  CHECK(refused == 0);
}

TEST_CASE("local file system: leaves no descriptor open", "[storage]") {
  const auto open_descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  };
  Local local;
  const auto before = open_descriptors();
  for (char name_end = 'a'; name_end < 'k'; ++name_end) {
    const std::string name = std::string("file-") + name_end;
    write_file(*local.files, local.path(name), "x");
    CHECK(local.files->read_all(local.path(name), 1).value() == "x");
    CHECK(local.files->list(local.folder.path()));
    CHECK(local.files->sync_directory(local.folder.path()));
    CHECK(local.files->lock(local.path(".lock"), "note"));
    CHECK_FALSE(local.files->open("/dev/null"));
    static_cast<void>(local.files->create(local.path(name + "-abandoned")).value());
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("local file system: a folder to write to is checked without being made", "[storage]") {
  Local local;
  write_file(*local.files, local.path("file"), "x");
  CHECK(check_local_output(local.path("")));
  CHECK(check_local_output(local.path("new/below")));
  CHECK_FALSE(local.files->exists(local.path("new")).value());
  CHECK(check_local_output(local.path("file")).error().code == ErrorCode::path);
  CHECK(check_local_output(local.path("file/below")).error().code == ErrorCode::path);
  link_to(local.path("nowhere"), local.path("link"));
  CHECK(check_local_output(local.path("link")).error().code == ErrorCode::path);
  REQUIRE(::chmod(local.path("").c_str(), 0755) == 0);
  CHECK(holds_for_ordinary_user([&] {
    const Result<void> checked = check_local_output(local.path("new"));
    return !checked && checked.error().code == ErrorCode::permission;
  }));
}

}  // namespace
}  // namespace streamrun
