import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * What the tests ask of Kafka's own client and its command-line tools cannot express. One subcommand a
 * question; answers are lines on stdout. Usage: IntegrationClient COMMAND BOOTSTRAP ARGUMENT...
 */
public final class IntegrationClient {
    public static void main(String[] a) throws Exception {
        switch (a[0]) {
            case "idempotent" -> idempotent(a[1], a[2], Integer.parseInt(a[3]));
            case "transactional" -> transactional(a[1], a[2], a[3]);
            case "partitions" -> partitions(a[1], a[2], Arrays.copyOfRange(a, 3, a.length));
            case "consume" -> consume(a[1], a[2], Integer.parseInt(a[3]), Arrays.copyOfRange(a, 4, a.length));
            case "group-config" -> groupConfig(a[1], a[2], a[3], a[4]);
            case "admin" -> admin(a[1], a[2]);
            default -> throw new IllegalArgumentException(a[0]);
        }
        System.out.println("done");
    }

    private static Properties properties(String bootstrap, String... more) {
        Properties p = new Properties();
        p.put("bootstrap.servers", bootstrap);
        p.put("request.timeout.ms", "15000");
        for (String setting : more) {
            int equals = setting.indexOf('=');
            p.put(setting.substring(0, equals), setting.substring(equals + 1));
        }
        return p;
    }

    private static KafkaProducer<String, String> producer(String bootstrap, String... more) {
        return new KafkaProducer<>(properties(bootstrap, more), new StringSerializer(), new StringSerializer());
    }

    /** Small batches without lingering keep five requests in flight; prints what the client counted. */
    private static void idempotent(String bootstrap, String topic, int count) throws Exception {
        try (var producer = producer(bootstrap, "enable.idempotence=true", "acks=all", "batch.size=1",
                "max.in.flight.requests.per.connection=5", "linger.ms=0", "delivery.timeout.ms=60000")) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                sent.add(producer.send(new ProducerRecord<>(topic, 0, null, "n" + i)));
            }
            for (int i = 0; i < count; i++) {
                if (sent.get(i).get().offset() != i) {
                    throw new AssertionError("record " + i + " at offset " + sent.get(i).get().offset());
                }
            }
            producer.metrics().forEach((name, metric) -> {
                if (name.name().equals("record-retry-total") && name.tags().size() == 1) {
                    System.out.println("retries " + metric.metricValue());
                }
            });
        }
    }

    /** One transaction that aborts, one that commits with an offset of a group in it. */
    private static void transactional(String bootstrap, String topic, String group) throws Exception {
        TopicPartition source = new TopicPartition(topic, 0);
        try (var producer = producer(bootstrap, "transactional.id=" + group, "linger.ms=5");
             var consumer = new KafkaConsumer<>(properties(bootstrap, "group.id=" + group, "auto.offset.reset=earliest"),
                     new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(Set.of(source));
            consumer.poll(Duration.ofMillis(100));
            producer.initTransactions();
            producer.beginTransaction();
            for (int i = 0; i < 10; i++) {
                producer.send(new ProducerRecord<>(topic, 0, null, "aborted" + i));
            }
            producer.flush();
            producer.abortTransaction();
            producer.beginTransaction();
            for (int i = 0; i < 10; i++) {
                producer.send(new ProducerRecord<>(topic, 0, null, "committed" + i));
            }
            producer.sendOffsetsToTransaction(Map.of(source, new OffsetAndMetadata(7)), consumer.groupMetadata());
            producer.commitTransaction();
            System.out.println("group offset " + consumer.committed(Set.of(source)).get(source).offset());
        }
    }

    /** Sends value i to partition i, all in one request, and prints the outcome of each. */
    private static void partitions(String bootstrap, String topic, String[] values) throws Exception {
        try (var producer = producer(bootstrap, "enable.idempotence=false", "linger.ms=1000", "retries=0")) {
            producer.partitionsFor(topic);
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = 0; i < values.length; i++) {
                sent.add(producer.send(new ProducerRecord<>(topic, i, null, values[i])));
            }
            for (int i = 0; i < values.length; i++) {
                try {
                    System.out.println(i + " ok " + sent.get(i).get().offset());
                } catch (ExecutionException e) {
                    System.out.println(i + " " + e.getCause().getClass().getSimpleName() + ": " + e.getCause().getMessage());
                }
            }
        }
    }

    /** Subscribes and prints partition, offset, key and value of `count` records, then commits. */
    private static void consume(String bootstrap, String topic, int count, String[] more) {
        try (var consumer = new KafkaConsumer<>(properties(bootstrap, more), new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(topic));
            int seen = 0;
            long deadline = System.nanoTime() + Duration.ofSeconds(40).toNanos();
            while (seen < count && System.nanoTime() < deadline) {
                ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(200));
                for (ConsumerRecord<String, String> r : records) {
                    System.out.println(r.partition() + " " + r.offset() + " " + r.key() + " " + r.value());
                    seen++;
                }
            }
            consumer.commitSync();
        }
    }

    /** Sets one setting of a group. */
    private static void groupConfig(String bootstrap, String group, String name, String value) throws Exception {
        try (Admin admin = Admin.create(properties(bootstrap))) {
            var type = ConfigResource.Type.valueOf("GROUP");  // By name: 3.9 has no such constant.
            admin.incrementalAlterConfigs(Map.of(new ConfigResource(type, group), List.of(
                    new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET)))).all().get();
        }
    }

    /** A walk through the administrative requests; prints every address that an answer carried. */
    private static void admin(String bootstrap, String topic) throws Exception {
        try (Admin admin = Admin.create(properties(bootstrap))) {
            admin.createTopics(List.of(new NewTopic(topic, 2, (short) 1).configs(Map.of("retention.ms", "3600000")))).all().get();
            admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(3))).all().get();
            ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
            admin.incrementalAlterConfigs(Map.of(resource, List.of(
                    new AlterConfigOp(new ConfigEntry("max.message.bytes", "123456"), AlterConfigOp.OpType.SET)))).all().get();
            var config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
            System.out.println("retention.ms " + config.get("retention.ms").value());
            System.out.println("max.message.bytes " + config.get("max.message.bytes").value());
            var description = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
            System.out.println("partitions " + description.partitions().size());
            for (TopicPartitionInfo partition : description.partitions()) {
                print(partition.leader());
            }
            for (Node node : admin.describeCluster().nodes().get()) {
                print(node);
            }
            print(admin.describeCluster().controller().get());
            TopicPartition first = new TopicPartition(topic, 0);
            try (var producer = producer(bootstrap)) {
                for (int i = 0; i < 5; i++) {
                    producer.send(new ProducerRecord<>(topic, 0, null, "v" + i)).get();
                }
            }
            admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(3))).all().get();
            System.out.println("earliest " + admin.listOffsets(Map.of(first, OffsetSpec.earliest())).all().get().get(first).offset());
            System.out.println("latest " + admin.listOffsets(Map.of(first, OffsetSpec.latest())).all().get().get(first).offset());
            System.out.println("producers " + admin.describeProducers(Set.of(first)).all().get().size());
            System.out.println("log dirs " + admin.describeLogDirs(List.of(1)).allDescriptions().get().size());
            System.out.println("quorum leader " + admin.describeMetadataQuorum().quorumInfo().get().leaderId());
            System.out.println("features " + admin.describeFeatures().featureMetadata().get().finalizedFeatures().containsKey("metadata.version"));
            System.out.println("transactions " + admin.listTransactions().all().get().getClass().getSimpleName());
            System.out.println("groups " + (admin.listConsumerGroups().all().get().size() >= 0));
            try {
                admin.describeAcls(org.apache.kafka.common.acl.AclBindingFilter.ANY).values().get();
            } catch (ExecutionException e) {
                System.out.println("acls " + e.getCause().getClass().getSimpleName());
            }
            admin.deleteTopics(org.apache.kafka.common.TopicCollection.ofTopicIds(Collections.singleton(description.topicId()))).all().get();
        }
    }

    private static void print(Node node) {
        System.out.println("node " + node.id() + " " + node.host() + ":" + node.port());
    }
}
