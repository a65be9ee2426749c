#include <streamrun/platform/process_table.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

namespace streamrun {
namespace {

/// The same text with another value in one of its places.
std::string with_field(const std::string& identity, int place, const std::string& value) {
  std::string changed;
  std::size_t begin = 0;
  for (int i = 0; begin <= identity.size(); ++i) {
    const std::size_t end = std::min(identity.find(' ', begin), identity.size());
    if (i > 0) changed += ' ';
    changed += i == place ? value : identity.substr(begin, end - begin);
    begin = end + 1;
  }
  return changed;
}

TEST_CASE("process table: this process is alive, and told from others", "[platform]") {
  const std::unique_ptr<ProcessTable> table = make_process_table();
  const std::string self = table->self();
  CHECK(self.find_first_of("\"\\\n") == std::string::npos);
  CHECK(table->fate_of(self) == ProcessFate::alive);
  CHECK(table->fate_of(with_field(self, 0, "elsewhere")) == ProcessFate::unknown);
  CHECK(table->fate_of(with_field(self, 1, "pid:[1]")) == ProcessFate::unknown);
  CHECK(table->fate_of(with_field(self, 2, "another-machine")) == ProcessFate::unknown);
  CHECK(table->fate_of(with_field(self, 4, "x")) == ProcessFate::unknown);
  CHECK(table->fate_of(with_field(self, 5, "1")) == ProcessFate::dead);
  CHECK(table->fate_of("") == ProcessFate::unknown);
  CHECK(table->fate_of("a b c") == ProcessFate::unknown);
}

TEST_CASE("process table: one that has ended is dead", "[platform]") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const std::string self = make_process_table()->self();
    const bool written =
        ::write(ends[1], self.data(), self.size()) == static_cast<ssize_t>(self.size());
    std::_Exit(written ? 0 : 1);
  }
  ::close(ends[1]);
  char text[512];
  const ssize_t length = ::read(ends[0], text, sizeof text);
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(length > 0);
  CHECK(make_process_table()->fate_of({text, static_cast<std::size_t>(length)}) ==
        ProcessFate::dead);
}

}  // namespace
}  // namespace streamrun
