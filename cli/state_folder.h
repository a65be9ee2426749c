#pragma once

#include <optional>
#include <string>

namespace streamrun {

/// The folder of what this person's runs leave beside their output: `$XDG_STATE_HOME/streamrun`,
/// or `~/.local/state/streamrun`; for a service that has neither variable
/// `streamrun-UID` in the folder for temporary files.
std::string state_folder_name();

/// The same; nothing if it is not there, or is not to be trusted.
std::optional<std::string> present_state_folder();

/// The same, made if it is not there; nothing if it can't be written to, or if it is among the
/// temporary files and somebody else can write to it.
std::optional<std::string> writable_state_folder();

}  // namespace streamrun
