import io.debezium.embedded.Connect;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.RecordChangeEvent;
import io.debezium.engine.format.ChangeEventFormat;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.Types;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;

/**
 * A contender of the benchmarks: Debezium's embedded engine reads a slot, and batched JDBC upserts write what it says to
 * another database, as fast as the two can be tuned: many changes in one transaction, of which each key is written
 * once, and inserts that the driver puts together.
 *
 * Arguments: host, port, user and database of the source, slot, publication, JDBC URL of the target, and the id of the
 * row that comes last.
 */
public class Apply {
  private static final String UPSERT =
      "INSERT INTO bench.changed (id, ref, name, note, amount, qty, active, at, day, doc)"
          + " VALUES (?, ?::uuid, ?, ?, ?, ?, ?, ?::timestamptz, ?, ?::jsonb)"
          + " ON CONFLICT (id) DO UPDATE SET ref = excluded.ref, name = excluded.name, note = excluded.note,"
          + " amount = excluded.amount, qty = excluded.qty, active = excluded.active, at = excluded.at,"
          + " day = excluded.day, doc = excluded.doc";

  /** The engine hands on what has come, often a few changes; so many are written at once. */
  private static final int GATHERED = 10_000;

  public static void main(String[] args) throws Exception {
    Properties settings = new Properties();
    settings.put("name", "contender");
    settings.put("connector.class", "io.debezium.connector.postgresql.PostgresConnector");
    settings.put("offset.storage", "org.apache.kafka.connect.storage.MemoryOffsetBackingStore");
    settings.put("topic.prefix", "contender");
    settings.put("database.hostname", args[0]);
    settings.put("database.port", args[1]);
    settings.put("database.user", args[2]);
    settings.put("database.password", "");
    settings.put("database.dbname", args[3]);
    settings.put("plugin.name", "pgoutput");
    settings.put("slot.name", args[4]);
    settings.put("publication.name", args[5]);
    settings.put("publication.autocreate.mode", "disabled");
    settings.put("table.include.list", "bench.changed");
    settings.put("snapshot.mode", "no_data");
    settings.put("tombstones.on.delete", "false");
    settings.put("max.batch.size", "16384");
    settings.put("max.queue.size", "65536");
    settings.put("poll.interval.ms", "5");
    long last = Long.parseLong(args[7]);
    List<RecordChangeEvent<SourceRecord>> waiting = new ArrayList<>();
    CountDownLatch done = new CountDownLatch(1);
    try (Connection target = DriverManager.getConnection(args[6] + "&reWriteBatchedInserts=true")) {
      target.setAutoCommit(false);
      try (PreparedStatement upsert = target.prepareStatement(UPSERT);
          PreparedStatement delete = target.prepareStatement("DELETE FROM bench.changed WHERE id = ?")) {
        DebeziumEngine<RecordChangeEvent<SourceRecord>> engine =
            DebeziumEngine.create(ChangeEventFormat.of(Connect.class))
                .using(settings)
                .notifying(
                    (List<RecordChangeEvent<SourceRecord>> events,
                        DebeziumEngine.RecordCommitter<RecordChangeEvent<SourceRecord>> committer) -> {
                      try {
                        waiting.addAll(events);
                        boolean end = isLast(events.get(events.size() - 1), last);
                        if (waiting.size() < GATHERED && !end) return;
                        write(waiting, upsert, delete);
                        target.commit();
                        for (RecordChangeEvent<SourceRecord> event : waiting) committer.markProcessed(event);
                        committer.markBatchFinished();
                        waiting.clear();
                        if (end) done.countDown();
                      } catch (Exception error) {
                        error.printStackTrace();
                        Runtime.getRuntime().halt(1);
                      }
                    })
                .using(
                    (success, message, error) -> {
                      if (success || done.getCount() == 0) return;
                      System.err.println(message);
                      if (error != null) error.printStackTrace();
                      Runtime.getRuntime().halt(1);
                    })
                .build();
        var executor = Executors.newSingleThreadExecutor();
        executor.execute(engine);
        done.await();
        engine.close();
        executor.shutdown();
      }
    }
    Runtime.getRuntime().halt(0);
  }

  private static boolean isLast(RecordChangeEvent<SourceRecord> event, long last) {
    Struct key = (Struct) event.record().key();
    return key != null && key.schema().field("id") != null && key.getInt64("id") == last;
  }

  private static void write(
      List<RecordChangeEvent<SourceRecord>> events, PreparedStatement upsert, PreparedStatement delete)
      throws Exception {
    Map<Long, Struct> rows = new LinkedHashMap<>();
    for (RecordChangeEvent<SourceRecord> event : events) {
      Struct value = (Struct) event.record().value();
      if (value == null || value.schema().field("op") == null) continue;
      long id = ((Struct) event.record().key()).getInt64("id");
      rows.put(id, value.getString("op").equals("d") ? null : value.getStruct("after"));
    }
    for (Map.Entry<Long, Struct> entry : rows.entrySet()) {
      Struct row = entry.getValue();
      if (row == null) {
        delete.setLong(1, entry.getKey());
        delete.addBatch();
        continue;
      }
      upsert.setLong(1, entry.getKey());
      upsert.setString(2, row.getString("ref"));
      upsert.setString(3, row.getString("name"));
      upsert.setString(4, row.getString("note"));
      upsert.setBigDecimal(5, (BigDecimal) row.get("amount"));
      upsert.setInt(6, row.getInt32("qty"));
      upsert.setBoolean(7, row.getBoolean("active"));
      upsert.setString(8, row.getString("at"));
      upsert.setObject(9, LocalDate.ofEpochDay(row.getInt32("day")), Types.DATE);
      upsert.setString(10, row.getString("doc"));
      upsert.addBatch();
    }
    delete.executeBatch();
    upsert.executeBatch();
  }
}
