// Loaded before the C library (LD_PRELOAD), it makes chosen calls on chosen paths fail as a bad
// disk would. BAD_DISK holds rules, separated by ';', each `call:part of the path:errno[:first]`,
// such as `write:/chk-:ENOSPC:3`, which fails the third matching call and all after it.
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

struct Rule {
  std::string call;
  std::string path;
  int error = 0;
  long first = 1;
  std::atomic<long> matched{0};
};

int errno_named(std::string_view name) {
  if (name == "ENOSPC") return ENOSPC;
  if (name == "EDQUOT") return EDQUOT;
  if (name == "EROFS") return EROFS;
  if (name == "ENOLCK") return ENOLCK;
  if (name == "EMFILE") return EMFILE;
  return EIO;
}

std::string next_field(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  std::string field(text.substr(0, at));
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return field;
}

std::vector<Rule*> read_rules() {
  std::vector<Rule*> rules;
  const char* const all = std::getenv("BAD_DISK");
  std::string_view text = all == nullptr ? "" : all;
  while (!text.empty()) {
    const std::string one = next_field(text, ';');
    std::string_view rest = one;
    auto* const rule = new Rule;  // never freed: calls come until the process is gone
    rule->call = next_field(rest, ':');
    rule->path = next_field(rest, ':');
    rule->error = errno_named(next_field(rest, ':'));
    if (!rest.empty()) rule->first = std::atol(std::string(rest).c_str());
    rules.push_back(rule);
  }
  return rules;
}

/// Whether this call is to fail; then `errno` is set.
bool fails(std::string_view call, std::string_view path) {
  static const std::vector<Rule*> rules = read_rules();
  for (Rule* const rule : rules) {
    if (rule->call != call || path.find(rule->path) == std::string_view::npos) continue;
    if (++rule->matched < rule->first) continue;
    errno = rule->error;
    return true;
  }
  return false;
}

bool fails_on(std::string_view call, int file) {
  std::array<char, 4096> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(file);
  const ssize_t length = ::readlink(link.c_str(), path.data(), path.size());
  return length > 0 && fails(call, {path.data(), static_cast<std::size_t>(length)});
}

template <typename F>
F real(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  std::va_list rest;
  va_start(rest, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (fails((flags & O_CREAT) != 0 ? "create" : "open", path)) return -1;
  return real<int (*)(const char*, int, ...)>("open")(path, flags, mode);
}

ssize_t write(int file, const void* bytes, size_t count) {
  if (fails_on("write", file)) return -1;
  return real<ssize_t (*)(int, const void*, size_t)>("write")(file, bytes, count);
}

ssize_t pread(int file, void* bytes, size_t count, off_t offset) {
  if (fails_on("read", file)) return -1;
  return real<ssize_t (*)(int, void*, size_t, off_t)>("pread")(file, bytes, count, offset);
}

int fsync(int file) {
  if (fails_on("fsync", file)) return -1;
  return real<int (*)(int)>("fsync")(file);
}

int close(int file) {
  const bool failed = fails_on("close", file);
  const int result = real<int (*)(int)>("close")(file);
  if (!failed) return result;
  errno = EIO;
  return -1;
}

int mkdir(const char* path, mode_t mode) {
  if (fails("mkdir", path)) return -1;
  return real<int (*)(const char*, mode_t)>("mkdir")(path, mode);
}

int unlink(const char* path) {
  if (fails("unlink", path)) return -1;
  return real<int (*)(const char*)>("unlink")(path);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  if (fails("rename", to)) return -1;
  return real<int (*)(int, const char*, int, const char*, unsigned)>("renameat2")(
      from_folder, from, to_folder, to, flags);
}

// By its name for the linker: in C++ `flock` is a struct too.
int failing_flock(int file, int operation) __asm__("flock");
int failing_flock(int file, int operation) {
  if (fails_on("flock", file)) return -1;
  return real<int (*)(int, int)>("flock")(file, operation);
}

}  // extern "C"
