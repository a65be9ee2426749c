import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.hdfs.MiniDFSCluster.DataNodeProperties;
import org.apache.hadoop.hdfs.MiniDFSNNTopology;
import org.apache.hadoop.hdfs.server.datanode.DataNode;
import org.apache.hadoop.hdfs.server.datanode.fsdataset.FsVolumeSpi;
import org.apache.hadoop.util.ExitUtil;

/**
 * Real name nodes and data nodes in one process, for scripts/hdfs: HdfsServer FOLDER. It reads FOLDER/server.properties,
 * keeps its data in FOLDER/data, and then does what lines on a port of localhost say, whose number it writes to
 * FOLDER/control once HDFS serves: each line gets one in return, "ok …" or "error …".
 */
public final class HdfsServer {
  private static final String SERVICE = "streamrun-hdfs";

  private final Path folder;
  private final Properties settings = new Properties();
  private final MiniDFSCluster cluster;
  private final int nameNodes;
  private final DataNodeProperties[] stopped;
  private final String[] dataNodes;  // their addresses, which they keep
  private int active = 0;

  private HdfsServer(Path folder) throws IOException {
    this.folder = folder;
    try (var reader = Files.newBufferedReader(folder.resolve("server.properties"))) {
      settings.load(reader);
    }
    nameNodes = number("name-nodes");
    stopped = new DataNodeProperties[number("data-nodes")];
    cluster = start();
    dataNodes = cluster.getDataNodes().stream().map(node -> node.getDatanodeId().getXferAddr()).toArray(String[]::new);
  }

  private int number(String key) {
    return Integer.parseInt(settings.getProperty(key));
  }

  private Configuration configuration(Path data) {
    Configuration conf = new Configuration();
    conf.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, data.toString());
    conf.setBoolean("dfs.webhdfs.enabled", true);
    conf.setInt("dfs.replication", 1);
    conf.setLong("dfs.blocksize", Long.parseLong(settings.getProperty("block-bytes")));
    conf.setLong("dfs.namenode.fs-limits.min-block-size", 1 << 16);
    // The name node is to notice within seconds what is gone or full.
    conf.setInt("dfs.heartbeat.interval", 1);
    // A data node that closes a file before it was reported waits this long: 400 ms, where the machine is one.
    conf.setInt("dfs.client.block.write.locateFollowingBlock.initial.delay.ms", 20);
    conf.setInt("dfs.namenode.heartbeat.recheck-interval", 1000);
    conf.setInt("dfs.ha.tail-edits.period", 1);
    conf.set("dfs.client.failover.proxy.provider." + SERVICE,
        "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider");
    return conf;
  }

  private MiniDFSCluster start() throws IOException {
    ExitUtil.disableSystemExit();
    Path data = folder.resolve("data");
    boolean isNew = !Files.exists(data);
    MiniDFSNNTopology.NSConf service = new MiniDFSNNTopology.NSConf(nameNodes > 1 ? SERVICE : null);
    for (int node = 0; node < nameNodes; ++node) {
      service.addNN(new MiniDFSNNTopology.NNConf(nameNodes > 1 ? "nn" + (node + 1) : null)
          .setIpcPort(number("rpc-port-" + node)).setHttpPort(number("http-port-" + node)));
    }
    MiniDFSCluster.Builder builder = new MiniDFSCluster.Builder(configuration(data))
        .nnTopology(new MiniDFSNNTopology().addNameservice(service)).numDataNodes(stopped.length)
        .storagesPerDatanode(1).format(isNew).checkExitOnShutdown(false);
    long capacity = Long.parseLong(settings.getProperty("capacity", "0"));
    if (capacity > 0) {
      long[] capacities = new long[stopped.length];
      java.util.Arrays.fill(capacities, capacity);
      builder.storageCapacities(capacities);
    }
    MiniDFSCluster started = builder.build();
    if (nameNodes > 1) started.transitionToActive(0);
    started.waitActive();
    return started;
  }

  private String obey(String[] words) throws Exception {
    switch (words[0]) {
      case "status":
        return "active " + active;
      case "stop-data-node": {
        int node = Integer.parseInt(words[1]);
        if (stopped[node] != null) return "stopped already";
        stopped[node] = cluster.stopDataNode(dataNodes[node]);
        return "stopped";
      }
      case "start-data-node": {
        int node = Integer.parseInt(words[1]);
        if (stopped[node] == null) return "runs already";
        cluster.restartDataNode(stopped[node], true);
        stopped[node] = null;
        cluster.waitActive(active);
        return "started";
      }
      case "capacity":
        for (DataNode node : cluster.getDataNodes()) {
          try (var volumes = node.getFSDataset().getFsVolumeReferences()) {
            for (FsVolumeSpi volume : volumes) {
              var set = volume.getClass().getMethod("setCapacityForTesting", long.class);
              set.invoke(volume, Long.parseLong(words[1]));
            }
          }
        }
        cluster.triggerHeartbeats();
        return "set";
      case "fail-over":
        cluster.transitionToStandby(active);
        active = (active + 1) % nameNodes;
        cluster.transitionToActive(active);
        return "active " + active;
      case "stop-name-node":
        cluster.shutdownNameNode(active);
        if (nameNodes > 1) {
          active = (active + 1) % nameNodes;
          cluster.transitionToActive(active);
        }
        return "active " + active;
      case "start-name-node":
        for (int node = 0; node < nameNodes; ++node) {
          if (cluster.getNameNode(node) == null) cluster.restartNameNode(node, false);
        }
        if (nameNodes == 1) cluster.waitActive();
        return "active " + active;
      case "safe-mode":
        cluster.getNameNodeRpc(active).setSafeMode(
            words[1].equals("on") ? org.apache.hadoop.hdfs.protocol.HdfsConstants.SafeModeAction.SAFEMODE_ENTER
                : org.apache.hadoop.hdfs.protocol.HdfsConstants.SafeModeAction.SAFEMODE_LEAVE, false);
        return "set";
      default:
        throw new IllegalArgumentException("unknown: " + words[0]);
    }
  }

  private void serve() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      Path draft = folder.resolve(".control");
      Files.writeString(draft, socket.getLocalPort() + "\n");
      Files.move(draft, folder.resolve("control"), java.nio.file.StandardCopyOption.ATOMIC_MOVE,
          java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      while (true) {
        try (Socket peer = socket.accept();
            var in = new BufferedReader(new InputStreamReader(peer.getInputStream(), StandardCharsets.UTF_8));
            var out = new PrintWriter(new OutputStreamWriter(peer.getOutputStream(), StandardCharsets.UTF_8), true)) {
          String line = in.readLine();
          if (line == null) continue;
          out.println(answer(line));
        } catch (IOException gone) {
          System.err.println("a peer has gone: " + gone);
        }
      }
    }
  }

  private String answer(String line) {
    try {
      return "ok " + obey(line.trim().split(" +"));
    } catch (Exception problem) {
      problem.printStackTrace();
      return "error " + problem;
    }
  }

  public static void main(String[] arguments) {
    try {
      new HdfsServer(new File(arguments[0]).toPath().toAbsolutePath()).serve();
    } catch (Throwable problem) {
      problem.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
  }
}
