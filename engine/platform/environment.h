#pragma once

#include <streamrun/platform/clock.h>
#include <streamrun/platform/executor.h>
#include <streamrun/platform/log.h>
#include <streamrun/platform/random.h>

namespace streamrun {

/// The world as it is handed to the engine; everything outlives the job. Nothing in the engine
/// reaches past it.
struct Environment {
  Clock& clock;
  Random& random;
  Executor& executor;
  IoExecutor& io;
  Log& log;
};

}  // namespace streamrun
