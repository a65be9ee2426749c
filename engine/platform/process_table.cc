#include <streamrun/platform/process_table.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <vector>

#include <unistd.h>

namespace streamrun {
namespace {

std::string first_line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string link_target(const char* path) {
  std::array<char, 128> target{};
  const ssize_t length = ::readlink(path, target.data(), target.size());
  return length > 0 ? std::string(target.data(), static_cast<std::size_t>(length)) : std::string();
}

/// The 22nd field of `/proc/PID/stat`, in clock ticks since the boot (proc(5)). Nothing if there is
/// no such process.
std::optional<std::string> start_of(const std::string& pid) {
  const std::string line = first_line_of("/proc/" + pid + "/stat");
  // The second field is the program's name in brackets, and may hold anything.
  const std::size_t bracket = line.rfind(')');
  if (bracket == std::string::npos) return std::nullopt;
  std::istringstream rest(line.substr(bracket + 1));
  const std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
  constexpr std::size_t kStart = 22 - 3;
  if (fields.size() <= kStart) return std::nullopt;
  return fields[kStart];
}

/// Empty machine ids are those of images: what runs from one is no machine known.
std::string machine() {
  const std::string id = first_line_of("/etc/machine-id");
  return id.empty() ? "none" : id;
}

std::string name_of_host() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data())
                                                          : std::string("unknown");
}

/// Those of which a process can be looked up from here: one machine, and one namespace of process
/// numbers in it. Names of hosts and numbers of namespaces repeat from machine to machine.
std::string neighbourhood() {
  return name_of_host() + " " + link_target("/proc/self/ns/pid") + " " + machine();
}

class RealProcessTable final : public ProcessTable {
 public:
  std::string self() const override {
    const std::string pid = std::to_string(::getpid());
    return neighbourhood_ + " " + boot_ + " " + pid + " " + start_of(pid).value_or("0");
  }

  ProcessFate fate_of(std::string_view identity) const override {
    std::istringstream text{std::string(identity)};
    const std::vector<std::string> fields{std::istream_iterator<std::string>(text), {}};
    if (fields.size() != 6 || fields[0] + " " + fields[1] + " " + fields[2] != neighbourhood_)
      return ProcessFate::unknown;
    int pid = 0;
    const std::string& number = fields[4];
    const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), pid);
    if (problem != std::errc() || end != number.data() + number.size()) return ProcessFate::unknown;
    if (fields[3] != boot_) return fields[2] == "none" ? ProcessFate::unknown : ProcessFate::dead;
    if (const auto start = start_of(number))
      return start == fields[5] ? ProcessFate::alive : ProcessFate::dead;
    // `/proc` may hide the processes of others.
    return ::kill(pid, 0) != 0 && errno == ESRCH ? ProcessFate::dead : ProcessFate::unknown;
  }

 private:
  const std::string neighbourhood_ = neighbourhood();
  const std::string boot_ = first_line_of("/proc/sys/kernel/random/boot_id");
};

}  // namespace

std::unique_ptr<ProcessTable> make_process_table() {
  return std::make_unique<RealProcessTable>();
}

}  // namespace streamrun
