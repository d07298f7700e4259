import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedWriter;
import java.io.OutputStreamWriter;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.RawTaggedField;

/**
 * Makes seeded random instances of every message and version of a kafka-clients jar and prints what
 * Kafka's own classes make of them.
 *
 * usage: MessageVectors JAR SEED INSTANCES
 *
 * Lines, tab-separated: "message NAME VERSION HEX JSON"; "versions NAME LOW HIGH"; "header KEY
 * VERSION REQUEST-HEADER-VERSION RESPONSE-HEADER-VERSION".
 */
public class MessageVectors {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final ObjectMapper MAPPER =
      new ObjectMapper().configure(JsonParser.Feature.ALLOW_COMMENTS, true);

  private enum Mode { EMPTY, NULLS, RANDOM }

  private record Versions(int low, int high) {
    static Versions parse(JsonNode node, String name) {
      if (!node.has(name) || node.get(name).asText().equals("none")) {
        return new Versions(0, -1);
      }
      String text = node.get(name).asText();
      if (text.endsWith("+")) {
        return new Versions(Integer.parseInt(text.substring(0, text.length() - 1)), 32767);
      }
      String[] ends = text.split("-");
      return new Versions(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1]));
    }

    boolean contains(int version) {
      return version >= low && version <= high;
    }
  }

  private final Random random;
  private final BufferedWriter out;
  private Map<String, JsonNode> structs;
  private Mode mode;
  private int version;

  private MessageVectors(Random random, BufferedWriter out) {
    this.random = random;
    this.out = out;
  }

  public static void main(String[] args) throws Exception {
    long seed = Long.parseLong(args[1]);
    int instances = Integer.parseInt(args[2]);
    Map<String, JsonNode> descriptors = new TreeMap<>();
    try (JarFile jar = new JarFile(args[0])) {
      for (JarEntry entry : Collections.list(jar.entries())) {
        if (entry.getName().matches("common/message/\\w+\\.json")) {
          JsonNode descriptor = MAPPER.readTree(jar.getInputStream(entry));
          descriptors.put(descriptor.get("name").asText(), descriptor);
        }
      }
    }
    try (BufferedWriter out =
        new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8), 1 << 20)) {
      for (JsonNode descriptor : descriptors.values()) {
        // A seed a message, so that one can be repeated by itself.
        Random random = new Random(seed ^ descriptor.get("name").asText().hashCode());
        new MessageVectors(random, out).message(descriptor, instances);
      }
      for (ApiMessageType type : ApiMessageType.values()) {
        for (int v = type.lowestSupportedVersion(); v <= type.highestSupportedVersion(true); v++) {
          out.write("header\t" + type.apiKey() + "\t" + v + "\t"
              + type.requestHeaderVersion((short) v) + "\t"
              + type.responseHeaderVersion((short) v) + "\n");
        }
      }
    }
  }

  private void message(JsonNode descriptor, int instances) throws Exception {
    Versions valid = Versions.parse(descriptor, "validVersions");
    if (valid.high < valid.low) {
      return;
    }
    String name = descriptor.get("name").asText();
    String data = descriptor.get("type").asText().equals("data") ? "" : "Data";
    Class<?> converter =
        Class.forName("org.apache.kafka.common.message." + name + data + "JsonConverter");
    Class<?> type = Class.forName("org.apache.kafka.common.message." + name + data);
    Method read = converter.getMethod("read", JsonNode.class, short.class);
    Method write = converter.getMethod("write", type, short.class, boolean.class);
    Versions flexible = Versions.parse(descriptor, "flexibleVersions");
    structs = new HashMap<>();
    collectStructs(descriptor.get("fields"));
    if (descriptor.has("commonStructs")) {
      for (JsonNode common : descriptor.get("commonStructs")) {
        structs.put(common.get("name").asText(), common.get("fields"));
        collectStructs(common.get("fields"));
      }
    }
    out.write("versions\t" + name + "\t" + valid.low + "\t" + valid.high + "\n");
    for (version = valid.low; version <= valid.high; version++) {
      for (int i = 0; i < instances; i++) {
        mode = i == 0 ? Mode.EMPTY : i == 1 ? Mode.NULLS : Mode.RANDOM;
        JsonNode json = struct(descriptor.get("fields"), 0);
        Message message = (Message) read.invoke(null, json, (short) version);
        byte[] bytes = null;
        if (i >= 3 && flexible.contains(version)) {
          try {
            addUnknownTags(message, true);
            bytes = bytes(message);
          } catch (RuntimeException error) {
            // A default struct of a field that this version lacks was given a tag: use lists only.
            message = (Message) read.invoke(null, json, (short) version);
            addUnknownTags(message, false);
          }
        }
        if (bytes == null) {
          bytes = bytes(message);
        }
        JsonNode printed = (JsonNode) write.invoke(null, message, (short) version, false);
        out.write("message\t" + name + "\t" + version + "\t" + hex(bytes) + "\t" + printed + "\n");
      }
    }
  }

  private void collectStructs(JsonNode fields) {
    for (JsonNode field : fields) {
      if (field.has("fields")) {
        structs.put(field.get("type").asText().replace("[]", ""), field.get("fields"));
        collectStructs(field.get("fields"));
      }
    }
  }

  private byte[] bytes(Message message) {
    ObjectSerializationCache cache = new ObjectSerializationCache();
    ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, (short) version));
    message.write(new ByteBufferAccessor(buffer), cache, (short) version);
    if (buffer.hasRemaining()) {
      throw new IllegalStateException(message.getClass() + " is shorter than its size");
    }
    return buffer.array();
  }

  private static String hex(byte[] bytes) {
    StringBuilder text = new StringBuilder(bytes.length * 2);
    for (byte b : bytes) {
      text.append(Character.forDigit((b >> 4) & 15, 16)).append(Character.forDigit(b & 15, 16));
    }
    return text.toString();
  }

  // --- random values, as the JSON that Kafka's converters read ---

  private ObjectNode struct(JsonNode fields, int depth) {
    ObjectNode node = new ObjectNode(NODES);
    for (JsonNode field : fields) {
      Versions tagged = Versions.parse(field, "taggedVersions");
      Versions versions = field.has("versions") ? Versions.parse(field, "versions") : tagged;
      if (!versions.contains(version)
          || (tagged.contains(version) && (mode != Mode.RANDOM || random.nextInt(3) == 0))) {
        continue;
      }
      String name = field.get("name").asText();
      node.set(Character.toLowerCase(name.charAt(0)) + name.substring(1), value(field, depth));
    }
    return node;
  }

  private JsonNode value(JsonNode field, int depth) {
    boolean nullable = Versions.parse(field, "nullableVersions").contains(version);
    if (nullable && (mode == Mode.NULLS || (mode == Mode.RANDOM && random.nextInt(4) == 0))) {
      return NODES.nullNode();
    }
    String type = field.get("type").asText();
    if (!type.startsWith("[]")) {
      return scalar(type, depth);
    }
    ArrayNode array = new ArrayNode(NODES);
    int count = mode == Mode.RANDOM ? random.nextInt(4) : mode == Mode.EMPTY ? 0 : 1;
    if (mode == Mode.RANDOM && depth == 0 && random.nextInt(30) == 0) {
      count = 130 + random.nextInt(20); // the count needs two bytes in flexible versions
    }
    for (int i = 0; i < count; i++) {
      array.add(scalar(type.substring(2), depth + 1));
    }
    return array;
  }

  private JsonNode scalar(String type, int depth) {
    return switch (type) {
      case "bool" -> NODES.booleanNode(mode == Mode.RANDOM && random.nextBoolean());
      case "int8" -> NODES.numberNode((byte) integer(8));
      case "int16" -> NODES.numberNode((short) integer(16));
      case "int32" -> NODES.numberNode((int) integer(32));
      case "int64" -> NODES.numberNode(integer(64));
      case "uint16" -> NODES.numberNode((int) (integer(16) & 0xffffL));
      case "uint32" -> NODES.numberNode(integer(32) & 0xffffffffL);
      case "float64" -> NODES.numberNode(
          (random.nextInt(2_000_000) - 1_000_000) / (random.nextBoolean() ? 100.0 : 1.0));
      case "uuid" -> NODES.textNode(uuid().toString());
      case "string" -> NODES.textNode(string());
      case "bytes", "records" -> NODES.binaryNode(blob());
      default -> struct(structs.get(type), depth + 1);
    };
  }

  private long integer(int bits) {
    if (mode != Mode.RANDOM) {
      return 0;
    }
    long min = bits == 64 ? Long.MIN_VALUE : -(1L << (bits - 1));
    long[] edges = {0, 1, -1, min, -(min + 1), 127, 128};
    long value = random.nextInt(3) == 0 ? edges[random.nextInt(edges.length)] : random.nextLong();
    return bits == 64 ? value : (value << (64 - bits)) >> (64 - bits);
  }

  private org.apache.kafka.common.Uuid uuid() {
    return mode == Mode.RANDOM
        ? new org.apache.kafka.common.Uuid(random.nextLong(), random.nextLong())
        : org.apache.kafka.common.Uuid.ZERO_UUID;
  }

  private String string() {
    if (mode == Mode.EMPTY || random.nextInt(6) == 0) {
      return "";
    }
    String[] words = {"a", "topic-7", "quote\" back\\slash /", "line\nbreak\ttab\u0001\u007f",
        "gr\u00fc\u00df", "\u20ac\u4e2d", "\ud83d\ude00", "\u2028"};
    if (random.nextInt(400) == 0) {
      return "x".repeat(32767);
    }
    StringBuilder text = new StringBuilder(words[random.nextInt(words.length)]);
    if (random.nextInt(20) == 0) {
      text.append("y".repeat(126 + random.nextInt(5000)));
    }
    return text.toString();
  }

  private byte[] blob() {
    if (mode == Mode.EMPTY || random.nextInt(6) == 0) {
      return new byte[0];
    }
    byte[] bytes = new byte[random.nextInt(30) == 0 ? 4000 + random.nextInt(20000)
                                                    : random.nextInt(200)];
    random.nextBytes(bytes);
    return bytes;
  }

  // --- tagged fields that no descriptor names ---

  private void addUnknownTags(Message message, boolean everywhere) throws Exception {
    if (random.nextInt(3) == 0) {
      int tag = 50 + random.nextInt(100);
      for (int i = random.nextInt(3); i >= 0; i--, tag += 1 + random.nextInt(20000)) {
        byte[] data = new byte[random.nextInt(random.nextInt(10) == 0 ? 6000 : 20)];
        random.nextBytes(data);
        message.unknownTaggedFields().add(new RawTaggedField(tag, data));
      }
    }
    for (Field field : message.getClass().getDeclaredFields()) {
      if (Modifier.isStatic(field.getModifiers())) {
        continue;
      }
      field.setAccessible(true);
      Object value = field.get(message);
      List<Object> inner = new ArrayList<>();
      if (value instanceof Message && everywhere) {
        inner.add(value);
      } else if (value instanceof Iterable<?> values && !(value instanceof java.nio.Buffer)
          && !value.getClass().getName().contains("Records")) {
        values.forEach(inner::add);
      }
      for (Object each : inner) {
        if (each instanceof Message part) {
          addUnknownTags(part, everywhere);
        }
      }
    }
  }
}
