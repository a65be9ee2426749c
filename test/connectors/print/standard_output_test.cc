#include <streamrun/connectors/print/output_stream.h>

#include <array>
#include <csignal>
#include <iostream>
#include <string>
#include <thread>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <unistd.h>

namespace streamrun::test {
namespace {

/// Puts the writing end of a pipe in the place of standard output for a while.
class CapturedOutput {
 public:
  explicit CapturedOutput(int flags = 0) {
    std::cout.flush();
    REQUIRE(::pipe2(ends_.data(), flags) == 0);
    saved_ = ::dup(STDOUT_FILENO);
    REQUIRE(::dup2(ends_[1], STDOUT_FILENO) == STDOUT_FILENO);
    ::close(ends_[1]);
  }
  ~CapturedOutput() {
    restore();
    close_reader();
  }
  CapturedOutput(const CapturedOutput&) = delete;
  CapturedOutput& operator=(const CapturedOutput&) = delete;

  /// Ends what the reader sees.
  void restore() {
    if (saved_ < 0) return;
    ::dup2(saved_, STDOUT_FILENO);
    ::close(saved_);
    saved_ = -1;
  }
  void close_reader() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    ends_[0] = -1;
  }
  std::string read_all() const {
    std::string text;
    std::array<char, 1000> piece{};
    while (true) {
      const ssize_t count = ::read(ends_[0], piece.data(), piece.size());
      if (count > 0) text.append(piece.data(), static_cast<std::size_t>(count));
      if (count == 0) return text;
      if (count < 0) std::this_thread::yield();  // the pipe does not block
    }
  }

 private:
  std::array<int, 2> ends_{-1, -1};
  int saved_ = -1;
};

TEST_CASE("standard output: more than a pipe holds is written whole, also when it does not block",
          "[connectors]") {
  for (const int flags : {0, O_NONBLOCK}) {
    std::string text;
    for (int i = 0; text.size() < 1'000'000; ++i) text += std::to_string(i) + "\n";
    std::string read;
    bool written = false;
    {
      CapturedOutput captured(flags);
      std::thread reader([&] { read = captured.read_all(); });
      written = static_cast<bool>(standard_output().write(text));
      captured.restore();
      reader.join();
    }
    CHECK(written);
    CHECK(read == text);
  }
}

TEST_CASE("standard output: a reader that has left is told from other failures", "[connectors]") {
  const auto former = std::signal(SIGPIPE, SIG_IGN);
  Result<void> result;
  {
    CapturedOutput captured;
    captured.close_reader();
    result = standard_output().write("text\n");
  }
  std::signal(SIGPIPE, former);
  REQUIRE_FALSE(result);
  CHECK(result.error().headline() == "E-CANCELLED: standard output was closed");
}

}  // namespace
}  // namespace streamrun::test
