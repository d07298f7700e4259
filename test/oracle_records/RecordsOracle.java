// Writes and reads record batches with Apache Kafka's own classes.
//
//   RecordsOracle write SEED COUNT   prints blobs, each with what is in it
//   RecordsOracle verify FILE        reads blobs that we built, and checks that they are valid and
//                                    hold what the file says
//
// The text: "blob HEX", then per batch "batch magic codec timestamp-type count base-offset
// last-offset max-timestamp epoch producer-id producer-epoch sequence flags" and per record
// "record offset timestamp key value headers" (hex, "-" is null, headers are "key=value,...";
// "." stands for nothing). Batches of magic 0 and 1 have only the first four fields.
import java.io.BufferedReader;
import java.io.FileReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.*;
import KAFKA_RECORDS.*;
import KAFKA_RECORDS.Record;
import KAFKA_UTILS.ByteBufferOutputStream;

public class RecordsOracle {
    private static final HexFormat HEX = HexFormat.of();

    public static void main(String[] args) throws Exception {
        if (args[0].equals("write")) {
            write(Long.parseLong(args[1]), Integer.parseInt(args[2]));
        } else {
            verify(args[1]);
        }
    }

    private static String hex(ByteBuffer bytes) {
        if (bytes == null) {
            return "-";
        }
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        return copy.length == 0 ? "." : HEX.formatHex(copy);
    }

    // What Kafka reads in a blob.
    private static List<String> dump(ByteBuffer blob) {
        List<String> lines = new ArrayList<>();
        for (RecordBatch batch : MemoryRecords.readableRecords(blob).batches()) {
            batch.ensureValid();
            List<String> records = new ArrayList<>();
            for (Record record : batch) {
                record.ensureValid();
                StringBuilder headers = new StringBuilder();
                for (Header header : record.headers()) {
                    byte[] value = header.value();
                    headers.append(headers.length() == 0 ? "" : ",")
                        .append(hex(ByteBuffer.wrap(header.key().getBytes(StandardCharsets.UTF_8))))
                        .append('=').append(hex(value == null ? null : ByteBuffer.wrap(value)));
                }
                records.add("record " + record.offset() + " " + record.timestamp() + " "
                    + hex(record.key()) + " " + hex(record.value()) + " "
                    + (headers.length() == 0 ? "." : headers));
            }
            String line = "batch " + batch.magic() + " " + batch.compressionType().id + " "
                + batch.timestampType().id + " " + records.size();
            if (batch.magic() >= RecordBatch.MAGIC_VALUE_V2) {
                line += " " + batch.baseOffset() + " " + batch.lastOffset() + " "
                    + batch.maxTimestamp() + " " + batch.partitionLeaderEpoch() + " "
                    + batch.producerId() + " " + batch.producerEpoch() + " " + batch.baseSequence()
                    + " " + (batch.isTransactional() ? "t" : "-")
                    + (batch.isControlBatch() ? "c" : "-")
                    + (batch.deleteHorizonMs().isPresent() ? "h" : "-");
                if (batch.countOrNull() != records.size()) {
                    throw new IllegalStateException("count " + batch.countOrNull() + ": " + line);
                }
            }
            lines.add(line);
            lines.addAll(records);
        }
        return lines;
    }

    private static byte[] bytes(Random random, int limit) {
        int kind = random.nextInt(10);
        if (kind == 0) {
            return null;
        }
        byte[] bytes = new byte[kind == 1 ? 0 : random.nextInt(limit)];
        if (random.nextBoolean()) {
            random.nextBytes(bytes);
        } else {
            for (int i = 0; i < bytes.length; ++i) {
                bytes[i] = (byte) ("compressible text, ".charAt(i % 19) + random.nextInt(8) / 7);
            }
        }
        return bytes;
    }

    private static Header[] headers(Random random) {
        Header[] headers = new Header[random.nextInt(3) == 0 ? random.nextInt(5) : 0];
        for (int i = 0; i < headers.length; ++i) {
            headers[i] = new RecordHeader("h\u00e9" + random.nextInt(100), bytes(random, 40));
        }
        return headers;
    }

    private static Compression codec(int codec) {
        return switch (codec) {
            case 1 -> Compression.gzip().build();
            case 2 -> Compression.snappy().build();
            case 3 -> Compression.lz4().build();
            case 4 -> Compression.zstd().build();
            default -> Compression.NONE;
        };
    }

    private static void addControl(Random random, ByteBufferOutputStream out) {
        MemoryRecordsBuilder builder = new MemoryRecordsBuilder(out, (byte) 2, Compression.NONE,
            TimestampType.CREATE_TIME, random.nextInt(1 << 20), -1L, random.nextInt(1000),
            (short) random.nextInt(100), RecordBatch.NO_SEQUENCE, true, true, random.nextInt(9),
            Integer.MAX_VALUE);
        builder.appendEndTxnMarker(1600000000000L, new EndTransactionMarker(
            random.nextBoolean() ? ControlRecordType.COMMIT : ControlRecordType.ABORT, 7));
        builder.close();
    }

    private static void addBatch(Random random, ByteBufferOutputStream out, int magic, int codec) {
        boolean appendTime = magic > 0 && random.nextInt(5) == 0;
        boolean idempotent = magic == 2 && random.nextBoolean();
        boolean transactional = idempotent && random.nextBoolean();
        long horizon = magic == 2 && random.nextInt(6) == 0 ? 1500000000000L
            : RecordBatch.NO_TIMESTAMP;
        MemoryRecordsBuilder builder = new MemoryRecordsBuilder(out, (byte) magic, codec(codec),
            magic == 0 ? TimestampType.NO_TIMESTAMP_TYPE
                : appendTime ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME,
            random.nextLong(1L << 40), appendTime ? 1700000000123L : -1L,
            idempotent ? random.nextLong(1L << 50) : -1L,
            (short) (idempotent ? random.nextInt(1 << 15) : -1),
            idempotent ? random.nextInt() & 0x7fffffff : -1, transactional, false,
            random.nextInt(100) - 1, Integer.MAX_VALUE, horizon);
        int count = random.nextInt(20) == 0 ? 2000 : 1 + random.nextInt(12);
        int limit = random.nextInt(10) == 0 ? 100000 / count : 300 / count + 50;
        for (int i = 0; i < count; ++i) {
            long timestamp = magic == 0 ? RecordBatch.NO_TIMESTAMP
                : 1600000000000L + random.nextInt(1 << 30);
            byte[] key = bytes(random, 40);
            byte[] value = bytes(random, limit);
            if (magic == 2) {
                builder.append(timestamp, key, value, headers(random));
            } else {
                builder.append(timestamp, key, value);
            }
        }
        builder.close();
    }

    private static void write(long seed, int count) {
        Random random = new Random(seed);
        for (int i = 0; i < count; ++i) {
            ByteBufferOutputStream out = new ByteBufferOutputStream(1 << 16);
            int batches = 1 + random.nextInt(3);
            // Every magic and codec comes up in turn.
            int magic = i % 14 < 4 ? 0 : i % 14 < 8 ? 1 : 2;
            for (int b = 0; b < batches; ++b) {
                if (magic == 2 && random.nextInt(8) == 0) {
                    addControl(random, out);
                } else {
                    addBatch(random, out, magic, magic == 2 ? (i % 14 - 8) % 5 : i % 4);
                }
            }
            ByteBuffer blob = out.buffer();
            blob.flip();
            System.out.println("blob " + hex(blob));
            dump(blob).forEach(System.out::println);
        }
    }

    private static int check(int blobs, ByteBuffer blob, List<String> expected) {
        if (blob == null) {
            return blobs;
        }
        List<String> found = dump(blob);
        if (!found.equals(expected)) {
            System.err.println("blob " + blobs + " differs\nexpected: " + String.join("\n", expected)
                + "\nKafka reads: " + String.join("\n", found));
            System.exit(1);
        }
        return blobs + 1;
    }

    private static void verify(String file) throws Exception {
        ByteBuffer blob = null;
        List<String> expected = new ArrayList<>();
        int blobs = 0;
        try (BufferedReader in = new BufferedReader(new FileReader(file))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (line.startsWith("blob ")) {
                    blobs = check(blobs, blob, expected);
                    String hex = line.substring(5);
                    blob = ByteBuffer.wrap(hex.equals(".") ? new byte[0] : HEX.parseHex(hex));
                    expected = new ArrayList<>();
                } else {
                    expected.add(line);
                }
            }
        }
        System.out.println(check(blobs, blob, expected));
    }
}
