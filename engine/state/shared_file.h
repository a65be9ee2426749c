#pragma once

#include <streamrun/state/state_handle.h>

#include <string>
#include <string_view>

namespace streamrun {

/// Files that several checkpoints of a job refer to lie in `shared` beside the checkpoints'
/// folders. One name has one content for ever (R6): the name is made of the content.

/// How a snapshot refers to one, relative to its own folder, so that a job's folder may be moved
/// as a whole; the name follows.
constexpr std::string_view kSharedPrefix = "../shared/";

/// `<XXH3-128, 32 hex digits>-<length>`, both as recorded in `file`.
std::string shared_file_name(const StateFile& file);
/// Whether it is such a name: nothing else in `shared` is looked at, used or removed.
bool is_shared_file_name(std::string_view name);
/// `.tmp-<32 hex digits>`: the name under which a file in `shared` is written.
std::string shared_temporary_name(std::string_view uuid);
bool is_shared_temporary_name(std::string_view name);
/// Whether the path is `../shared/` and a shared file's name, and nothing else.
bool is_shared_path(std::string_view path);

}  // namespace streamrun
