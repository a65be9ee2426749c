// The word count as a Flink job, for comparison: the same words, a running count for each in keyed state, a checkpoint
// every second, the results discarded. It runs in one JVM, with Flink's own local cluster.
import java.time.Duration;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.FlatMapFunction;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.Collector;

public final class WordCount {
  private static final class Tokenizer implements FlatMapFunction<String, Tuple2<String, Long>> {
    @Override
    public void flatMap(String line, Collector<Tuple2<String, Long>> out) {
      String lower = line.toLowerCase(java.util.Locale.ROOT);
      int start = -1;
      for (int i = 0; i <= lower.length(); i++) {
        char c = i < lower.length() ? lower.charAt(i) : ' ';
        boolean inWord = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (inWord && start < 0) {
          start = i;
        } else if (!inWord && start >= 0) {
          out.collect(Tuple2.of(lower.substring(start, i), 1L));
          start = -1;
        }
      }
    }
  }

  // WordCount CHECKPOINT-FOLDER FILE…; prints the milliseconds that the job ran.
  public static void main(String[] args) throws Exception {
    Configuration configuration = new Configuration();
    configuration.setString("execution.checkpointing.dir", "file://" + args[0]);
    configuration.setString("execution.checkpointing.interval", "1s");
    configuration.setString("pipeline.object-reuse", "true");
    StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(1, configuration);
    Path[] paths = new Path[args.length - 1];
    for (int i = 1; i < args.length; i++) paths[i - 1] = new Path(args[i]);
    env.fromSource(FileSource.forRecordStreamFormat(new TextLineInputFormat(), paths).build(),
            WatermarkStrategy.noWatermarks(), "text")
        .flatMap(new Tokenizer()).returns(Types.TUPLE(Types.STRING, Types.LONG))
        .keyBy(each -> each.f0, Types.STRING)
        .sum(1)
        .sinkTo(new DiscardingSink<>());
    System.out.println(env.execute("word count").getNetRuntime());
  }
}
