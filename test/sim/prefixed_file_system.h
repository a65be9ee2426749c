#pragma once

#include <streamrun/storage/file_system.h>

#include <memory>
#include <string>

namespace streamrun::sim {

/// A store under other names: the path `/a` here is `prefix` + `/a` there. So a history and its
/// oracle need not know where its files are. Everything else is as the store does it.
std::unique_ptr<FileSystem> with_prefix(std::unique_ptr<FileSystem> store, std::string prefix);

}  // namespace streamrun::sim
