// Reads a topic of orders in JSON to its end as a Flink job, for comparison: each parsed, a checkpoint every second, the
// results discarded. It runs in one JVM, with Flink's own local cluster.
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.formats.json.JsonDeserializationSchema;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.DeserializationFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

public final class KafkaRead {
  public static final class Order {
    public String key;
    public long amount;
  }

  private static ObjectMapper mapper() {
    return new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);
  }

  // KafkaRead CHECKPOINT-FOLDER BROKERS TOPIC PARALLELISM; prints the milliseconds that the job ran.
  public static void main(String[] args) throws Exception {
    Configuration configuration = new Configuration();
    configuration.setString("execution.checkpointing.dir", "file://" + args[0]);
    configuration.setString("execution.checkpointing.interval", "1s");
    configuration.setString("pipeline.object-reuse", "true");
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.createLocalEnvironment(Integer.parseInt(args[3]), configuration);
    KafkaSource<Order> orders =
        KafkaSource.<Order>builder()
            .setBootstrapServers(args[1])
            .setTopics(args[2])
            .setStartingOffsets(OffsetsInitializer.earliest())
            .setBounded(OffsetsInitializer.latest())
            .setValueOnlyDeserializer(new JsonDeserializationSchema<>(Order.class, KafkaRead::mapper))
            .build();
    env.fromSource(orders, WatermarkStrategy.noWatermarks(), "orders").sinkTo(new DiscardingSink<>());
    System.out.println(env.execute("kafka read").getNetRuntime());
  }
}
