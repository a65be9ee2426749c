#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace streamrun {

/// What can be told of a process from here.
enum class ProcessFate {
  alive,    ///< it runs on this machine
  dead,     ///< it ran on this machine, and does no longer
  unknown,  ///< it is, or was, where this process can't look
};

/// The processes of this machine, for locks that outlive their holders. Thread-safe.
class ProcessTable {
 public:
  virtual ~ProcessTable() = default;
  /// Tells this process from every other one, also from a later one with its number: one line of
  /// text without quotes or backslashes.
  virtual std::string self() const = 0;
  /// What became of the process that answered `identity` to `self`; of a text that is none:
  /// unknown.
  virtual ProcessFate fate_of(std::string_view identity) const = 0;
};

/// By `/proc`: machine (host name, machine-id and boot), process namespace, number and time of
/// start.
std::unique_ptr<ProcessTable> make_process_table();

}  // namespace streamrun
