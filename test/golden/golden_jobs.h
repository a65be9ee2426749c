#pragma once

#include <streamrun/api/job.h>

namespace streamrun::golden {

/// The jobs whose snapshots lie in the folders of the versions. They must go on from all of them
/// for ever: a change that no restore could follow belongs in a job of its own.

/// Keyed state of every kind, and values of every type that has a serializer.
void kinds(StreamExecutionEnvironment& env, JobArguments& args);
/// Slow sinks behind a keyed exchange and one that deals records out.
void in_flight(StreamExecutionEnvironment& env, JobArguments& args);
/// From files to files.
void files(StreamExecutionEnvironment& env, JobArguments& args);
/// What increments hold.
void chain(StreamExecutionEnvironment& env, JobArguments& args);

}  // namespace streamrun::golden
