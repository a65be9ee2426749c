#pragma once

#include <streamrun/base/unique_function.h>

#include <functional>
#include <string>

namespace streamrun {

/// Where the files of one checkpoint go that later ones may refer to, and whom its writers ask
/// before they put a file there.
struct SharedFolder {
  std::string directory;  ///< `…/shared`; it exists
  /// Registers a name for the checkpoint, so that nobody removes the file from then on: a writer
  /// calls it on its owner's thread, before it looks for the file or makes it. `granted` is called
  /// at most once, by any thread; not at all when the checkpoint is given up, which the owner hears
  /// of.
  std::function<void(std::string name, UniqueFunction<void()> granted)> claim;
  /// The checkpoint was given up after the claim was granted, and the writer is done with the file,
  /// which may be there or not. On the owner's thread.
  std::function<void(std::string name)> let_go;
};

}  // namespace streamrun
