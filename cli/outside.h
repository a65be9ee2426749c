#pragma once

#include <streamrun/base/error.h>
#include <streamrun/graph/job_graph.h>
#include <streamrun/runtime/job_spec.h>

#include <optional>
#include <string>
#include <vector>

#include "flags.h"

namespace streamrun {

/// What a job touches outside: looked at before it runs.

/// A job that would read what it writes: an output folder that is an input, or lies where a source
/// looks. E-USAGE; nothing if there is none. Names that sources leave out (`.out`, `_out`) are no
/// such case.
std::optional<Error> output_inside_input(const JobGraph& graph,
                                         const std::string& working_directory);

/// An output folder that is not there, nor the one above it, although the run that is resumed wrote
/// to it: E-PATH. A sink would create it where nobody looks any more.
std::optional<Error> lost_output(const JobGraph& graph, const std::string& working_directory);

/// Everything that would keep the job from its first record, as far as that can be told without
/// changing anything: files of the snapshot (with `read_data` also what is in them), input, output,
/// the folder of checkpoints. Blocks.
std::vector<Error> problems_outside(const JobSpec& spec, const RestorePlan* plan,
                                    FileSystems& file_systems, bool read_data);

/// The error of a run with lines to try, if its snapshot is damaged, or if it found its recorded
/// input or checkpoint folder gone: most likely a folder has moved since the snapshot that `spec`
/// resumes. Others as they are.
Error with_hints(Error error, const JobSpec& spec, const GlobalFlags& global,
                 const RunFlags& flags);

}  // namespace streamrun
