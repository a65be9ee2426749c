#include <streamrun/config/key_names.h>

#include <string>

#include <catch2/catch.hpp>

namespace streamrun {
namespace {

TEST_CASE("key standing: names alone tell what a key is", "[config]") {
  CHECK(standing_of("state.checkpoints.dir") == KeyStanding::known);
  CHECK(standing_of("execution.checkpointing.dir") == KeyStanding::known);
  CHECK(standing_of("taskmanager.network.memory.buffer-debloat.enabled") == KeyStanding::known);
  CHECK(standing_of("jobmanager.execution.failover-strategy") == KeyStanding::known);
  CHECK(standing_of("state.backend.rocksdb.writebuffer.size") == KeyStanding::known);
  CHECK(standing_of("pipeline.global-job-parameters.k") == KeyStanding::member);
  CHECK(standing_of("fs.azure.account.key.x") == KeyStanding::later);
  CHECK(standing_of("flink.hadoop.dfs.replication") == KeyStanding::file_systems);
  CHECK(standing_of("metrics.reporter.prom.factory.class") == KeyStanding::later);
  CHECK(standing_of("state.backend.rocksdb.metrics.block-cache-usage") == KeyStanding::later);
  CHECK(standing_of("state.backend.incrmental") == KeyStanding::unknown);
  CHECK(standing_of("jobmanagers.x") == KeyStanding::unknown);
  for (const std::string key : {"jobmanager.rpc.address",
                                "taskmanager.numberOfTaskSlots",
                                "kubernetes.cluster-id",
                                "yarn.tags",
                                "mesos.x",
                                "high-availability",
                                "high-availability.type",
                                "zookeeper.sasl.disable",
                                "security.ssl.enabled",
                                "env.java.opts.all",
                                "akka.x",
                                "pekko.ask.timeout",
                                "blob.server.port",
                                "cluster.id",
                                "classloader.resolve-order",
                                "heartbeat.timeout",
                                "historyserver.web.port",
                                "resourcemanager.x",
                                "slotmanager.x",
                                "slot.idle.timeout",
                                "queryable-state.enable",
                                "containerized.x",
                                "external-resources",
                                "job-autoscaler.enabled",
                                "job-result-store.type",
                                "scheduler-mode",
                                "user.artifacts.base-dir",
                                "python.executable",
                                "table.exec.state.ttl",
                                "sql-client.x",
                                "sql-gateway.x",
                                "plugin.x"}) {
    INFO(key);
    CHECK(standing_of(key) == KeyStanding::meaningless);
  }
}

TEST_CASE("secrets: keys with a word for one are masked in any case", "[config]") {
  for (const std::string key :
       {"my.password", "PASSWORD", "a.Secret.b", "s3.secret-key", "x.token", "apiKey", "x.api-key",
        "fs.s3a.access.key", "s3.access-key", "auth-params", "service-key", "sasl.JAAS.config",
        "rest.basic-auth", "fs.azure.account.key.x", "aws.credentials.provider",
        "metrics.http-headers"}) {
    INFO(key);
    CHECK(is_secret_key(key));
    CHECK(displayed_value(key, "hunter2") == "******");
  }
  CHECK(displayed_value("parallelism.default", "4") == "4");
}

TEST_CASE("secrets: users and signatures in URLs are masked", "[config]") {
  CHECK(displayed_value("d", "hdfs://me:hunter2@nn:8020/ckpt") == "hdfs://******@nn:8020/ckpt");
  CHECK(displayed_value("d", "a://u:p@q@h/x, b://h2/y@z") == "a://******@h/x, b://h2/y@z");
  CHECK(displayed_value("d", "https://h/x?a=1&X-Amz-Signature=abc&b=2") ==
        "https://h/x?a=1&X-Amz-Signature=******&b=2");
  CHECK(displayed_value("d", "webhdfs://h/x?delegation=abc") == "webhdfs://h/x?delegation=******");
  CHECK(displayed_value("d", "s3://bucket/a@b") == "s3://bucket/a@b");
}

TEST_CASE("environment: a key in capitals with _ for . and -", "[config]") {
  CHECK(environment_name("state.checkpoints.dir") == "STREAMRUN_STATE_CHECKPOINTS_DIR");
  CHECK(environment_name("log-level") == "STREAMRUN_LOG_LEVEL");
}

TEST_CASE("nearest key: a slip finds its key, other words find none", "[config]") {
  CHECK(nearest_key("state.backend.incrmental") == "state.backend.incremental");
  CHECK(nearest_key("paralelism.default") == "parallelism.default");
  CHECK(nearest_key("xyz").empty());
  CHECK(nearest_key(std::string(100000, 'x')).empty());
}

}  // namespace
}  // namespace streamrun
