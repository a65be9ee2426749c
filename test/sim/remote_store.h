#pragma once

#include <streamrun/platform/clock.h>
#include <streamrun/platform/process_table.h>
#include <streamrun/platform/random.h>
#include <streamrun/platform/store_transport.h>
#include <streamrun/storage/file_system.h>

#include <memory>
#include <string>
#include <utility>

#include "sim/sim_file_system.h"
#include "sim/sim_options.h"

namespace streamrun::sim {

/// What a client is made with; all of it outlives the client.
struct ClientWorld {
  StoreTransport& network;
  Random& random;
  const Clock& clock;
  const ProcessTable& processes;
};

/// Servers that keep what a simulated process writes, and outlive it. Their files are in the store
/// that the oracle looks at, and it hears of every change.
class RemoteStore {
 public:
  virtual ~RemoteStore() = default;
  /// What the network leads to.
  virtual StoreTransport& servers() = 0;
  /// From now on requests have faults as often as `faults` says; null: none.
  virtual void set_faults(StorageFaults* faults) = 0;
  /// The engine's own client, under the paths of the store.
  virtual std::unique_ptr<FileSystem> make_client(const ClientWorld& world) = 0;
};

/// Where the oracle and the servers are.
struct ServerWorld {
  MemoryFileSystem& store;
  StoreOracle& oracle;
  Tape& tape;
  Trace& trace;
  const Clock& clock;
  const Mutant mutant;
};
std::unique_ptr<RemoteStore> make_remote_hdfs(const ServerWorld& world, const SimOptions& options);
/// What the store holds when it begins is in S3 too.
std::unique_ptr<RemoteStore> make_remote_s3(const ServerWorld& world, const SimOptions& options);

/// Of simulated processes only the last one lives.
class SimProcessTable final : public ProcessTable {
 public:
  explicit SimProcessTable(std::string self) : self_(std::move(self)) {}
  std::string self() const override { return self_; }
  ProcessFate fate_of(std::string_view identity) const override {
    return identity == self_ ? ProcessFate::alive : ProcessFate::dead;
  }

 private:
  const std::string self_;
};

}  // namespace streamrun::sim
