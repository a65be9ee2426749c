#include <streamrun/platform/populate.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/mman.h>
#include <unistd.h>

namespace streamrun {
namespace {

TEST_CASE("populate: bytes stay as they are, wherever they begin and end", "[platform]") {
  std::vector<char> bytes(1U << 20U, 'x');
  for (const std::size_t first : {std::size_t{0}, std::size_t{1}, std::size_t{4095}}) {
    for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{4096},
                                     std::size_t{10'000}, bytes.size() - first})
      populate(bytes.data() + first, length);
  }
  CHECK(std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == 'x'; }));
}

TEST_CASE("populate: the pages are there, where the system knows how", "[platform]") {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  constexpr std::size_t kPages = 64;
  void* const from =
      ::mmap(nullptr, kPages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(from != MAP_FAILED);
  // By the same call, so that an old system shows itself.
  const bool knows = ::madvise(from, page, 23) == 0;
  populate(from, kPages * page);
  std::vector<unsigned char> resident(kPages);
  REQUIRE(::mincore(from, kPages * page, resident.data()) == 0);
  const auto there = std::count_if(resident.begin(), resident.end(),
                                   [](unsigned char each) { return (each & 1U) != 0; });
  CHECK(static_cast<std::size_t>(there) == (knows ? kPages : 0));
  ::munmap(from, kPages * page);
}

}  // namespace
}  // namespace streamrun
