#include <streamrun/base/crash_point.h>

#include <csignal>
#include <cstdlib>

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

namespace streamrun {
namespace {

TEST_CASE("crash point: it is due at the k-th pass of its own name only", "[base]") {
  CHECK(crash_is_due("cp.a:2", "cp.a", 2));
  CHECK_FALSE(crash_is_due("cp.a:2", "cp.a", 1));
  CHECK_FALSE(crash_is_due("cp.a:2", "cp.a", 3));
  CHECK_FALSE(crash_is_due("cp.ab:2", "cp.a", 2));
  CHECK_FALSE(crash_is_due("cp.a:2", "cp.ab", 2));
  for (const char* bad :
       {"", "cp.a", "cp.a:", "cp.a:x", "cp.a:2x", "cp.a:1/0:1", "cp.a:1/2", "cp.a:1/x:1"}) {
    CHECK_FALSE(crash_is_due(bad, "cp.a", 2));
  }
}

TEST_CASE("crash point: chance comes from the seed", "[base]") {
  int due = 0;
  for (std::uint64_t pass = 1; pass <= 10'000; ++pass) {
    const bool now = crash_is_due("cp.a:1/10:7", "cp.a", pass);
    REQUIRE(now == crash_is_due("cp.a:1/10:7", "cp.a", pass));
    due += now ? 1 : 0;
  }
  CHECK(due > 800);
  CHECK(due < 1200);
}

TEST_CASE("crash point: the process is killed at the armed pass", "[base]") {
  int passed[2];
  REQUIRE(::pipe(passed) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::setenv("STREAMRUN_CRASH", "here:3", 1);
    for (int i = 0; i < 5; ++i) {
      crash_point("elsewhere");
      crash_point("here");
      if (::write(passed[1], "x", 1) != 1) break;
    }
    ::_exit(0);
  }
  ::close(passed[1]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  char bytes[8];
  CHECK(::read(passed[0], bytes, sizeof bytes) == 2);
  ::close(passed[0]);
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
}

}  // namespace
}  // namespace streamrun
