// Compares our reader with what Kafka read in the same batches, edits and builds batches, and
// writes them with what Kafka must find in them. The format is told in RecordsOracle.java.
//
// usage: records_oracle KAFKA_FILE OUR_FILE SEED
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "kafka/records/batch_builder.h"
#include "kafka/records/batch_reader.h"

namespace grete::kafka::records {
namespace {

using Text = std::optional<std::string>;

struct ModelRecord {
  std::int64_t offset = 0;
  std::int64_t timestamp = -1;
  Text key;
  Text value;
  std::vector<std::pair<std::string, Text>> headers;
};

struct Model {
  BatchHeader header;
  std::vector<ModelRecord> records;
};

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "records_oracle: %s\n", why.c_str());
  std::exit(1);
}

template <class T>
T must(Result<T, Error> result, const char* what) {
  if (!result) {
    die(std::string(what) + ": " + std::string(describe(result.error().code)) + " at " +
        std::to_string(result.error().position));
  }
  if constexpr (!std::is_void_v<T>) {
    return *std::move(result);
  }
}

void append_hex(std::string& out, std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[c & 15];
  }
  if (bytes.empty()) {
    out += '.';
  }
}

void append_text(std::string& out, const Text& text) {
  if (text) {
    append_hex(out, *text);
  } else {
    out += '-';
  }
}

std::string from_hex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  }
  return bytes;
}

std::string dump(const Model& model) {
  const BatchHeader& header = model.header;
  const int type = header.magic == 0 ? -1 : header.is_log_append_time() ? 1 : 0;
  std::string out = "batch " + std::to_string(header.magic) + ' ' +
                    std::to_string(static_cast<int>(header.codec())) + ' ' + std::to_string(type) +
                    ' ' + std::to_string(model.records.size());
  if (header.magic == 2) {
    for (const std::int64_t number :
         {header.base_offset, header.base_offset + header.last_offset_delta, header.max_timestamp,
          std::int64_t{header.leader_epoch}, header.producer_id,
          std::int64_t{header.producer_epoch}, std::int64_t{header.base_sequence}}) {
      out += ' ' + std::to_string(number);
    }
    out += header.is_transactional() ? " t" : " -";
    out += header.is_control() ? "c" : "-";
    out += (header.attributes & kDeleteHorizonBit) != 0 ? "h" : "-";
  }
  out += '\n';
  for (const ModelRecord& record : model.records) {
    out += "record " + std::to_string(record.offset) + ' ' + std::to_string(record.timestamp) + ' ';
    append_text(out, record.key);
    out += ' ';
    append_text(out, record.value);
    out += ' ';
    for (std::size_t i = 0; i < record.headers.size(); ++i) {
      out += i == 0 ? "" : ",";
      append_hex(out, record.headers[i].first);
      out += '=';
      append_text(out, record.headers[i].second);
    }
    out += record.headers.empty() ? ".\n" : "\n";
  }
  return out;
}

Text as_model(const std::optional<Bytes>& bytes) {
  return bytes ? Text(as_text(*bytes)) : std::nullopt;
}

class Oracle {
 public:
  explicit Oracle(std::uint32_t seed) : random_(seed) {}

  // What our reader finds in a blob must be `expected`, which is what Kafka found.
  void compare(const std::string& blob, const std::string& expected) {
    std::string found;
    for (const Bytes batch : split(blob)) {
      read(batch);
      found += dump(model_of_reader());
    }
    if (found != expected) {
      die("a blob differs\nKafka reads:\n" + expected + "we read:\n" + found);
    }
  }

  // A blob of changed batches, and what Kafka must read in it.
  void edit(const std::string& blob, std::string& out, std::string& expected) {
    for (const Bytes batch : split(blob)) {
      read(batch);
      Model model = model_of_reader();
      edit_batch(model);
      out += as_text(builder_.changed() ? builder_.batch() : batch);
      if (builder_.count() != 0 || !builder_.changed() || model.header.magic == 2) {
        expected += dump(model);
      }
    }
  }

  void create(std::int8_t magic, Codec codec, std::string& out, std::string& expected) {
    Model model;
    model.header = {.base_offset = below(1 << 20),
                    .leader_epoch = below(5),
                    .magic = magic,
                    .attributes = static_cast<std::int16_t>(codec)};
    builder_.create(model.header);
    const int count = 1 + below(50);
    for (int i = 0; i < count; ++i) {
      ModelRecord record{.offset = model.header.base_offset + i,
                         .timestamp = magic == 0 ? -1 : 1600000000000 + below(1 << 30),
                         .key = text(),
                         .value = text(),
                         .headers = {}};
      add_headers(magic, record);
      const std::vector<HeaderView> headers = views(record);
      must(builder_.append({.timestamp = record.timestamp,
                            .key = bytes(record.key),
                            .value = bytes(record.value),
                            .headers = headers}),
           "append");
      model.header.max_timestamp = std::max(model.header.max_timestamp, record.timestamp);
      model.records.push_back(std::move(record));
    }
    model.header.last_offset_delta = count - 1;
    build();
    out = as_text(builder_.batch());
    if (magic < 2 && codec == Codec::kNone) {
      for (const ModelRecord& record : model.records) {
        expected += dump({.header = model.header, .records = {record}});
      }
    } else {
      expected = dump(model);
    }
  }

 private:
  int below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }

  Text text() {
    const int kind = below(10);
    if (kind == 0) {
      return std::nullopt;
    }
    return std::string(kind == 1 ? 0 : static_cast<std::size_t>(below(300)),
                       static_cast<char>('a' + below(26)));
  }

  static std::optional<Bytes> bytes(const Text& value) {
    return value ? std::optional(as_bytes(*value)) : std::nullopt;
  }

  void add_headers(std::int8_t magic, ModelRecord& record) {
    record.headers.clear();
    for (int i = magic == 2 ? below(4) : 0; i > 0; --i) {
      record.headers.emplace_back("new" + std::to_string(i), text());
    }
  }

  static std::vector<HeaderView> views(const ModelRecord& record) {
    std::vector<HeaderView> headers;
    for (const auto& [key, value] : record.headers) {
      headers.push_back({.key = key, .value = bytes(value)});
    }
    return headers;
  }

  static std::vector<Bytes> split(const std::string& blob) {
    std::vector<Bytes> batches;
    BatchSplitter splitter(as_bytes(blob));
    while (const auto batch = must(splitter.next(), "split")) {
      batches.push_back(*batch);
    }
    if (!splitter.rest().empty()) {
      die("a blob ends with a partial batch");
    }
    return batches;
  }

  void read(Bytes batch) {
    must(reader_.start(batch), "start");
    while (must(reader_.step(), "read") == Progress::kMore) {
    }
  }

  Model model_of_reader() {
    Model model{.header = reader_.header(), .records = {}};
    RecordIterator records = reader_.records();
    while (const Record* record = must(records.next(), "record")) {
      ModelRecord copy{.offset = record->offset,
                       .timestamp = record->timestamp,
                       .key = as_model(record->key),
                       .value = as_model(record->value),
                       .headers = {}};
      for (const HeaderView& header : record->headers) {
        copy.headers.emplace_back(header.key, as_model(header.value));
      }
      model.records.push_back(std::move(copy));
    }
    if (static_cast<std::int32_t>(model.records.size()) != reader_.header().count) {
      die("the count is wrong");
    }
    return model;
  }

  void build() {
    while (must(builder_.step(), "build") == Progress::kMore) {
    }
  }

  FieldEdit change(Text& field) {
    if (below(3) == 0) {
      return {};
    }
    field = text();
    if (!field) {
      return FieldEdit::null();
    }
    const Bytes all = as_bytes(*field);
    const auto cut = all.size() / 2;
    pieces_.push_back({all.first(cut), all.subspan(cut)});
    return below(2) == 0 ? FieldEdit::set(all) : FieldEdit::set(pieces_.back());
  }

  void change_record(const Record& record, ModelRecord& model, const BatchHeader& header,
                     bool& timestamps_changed) {
    RecordEdit edit;
    edit.key = change(model.key);
    edit.value = change(model.value);
    std::vector<HeaderView> headers;
    if (header.magic == 2 && below(2) == 0) {
      add_headers(header.magic, model);
      headers = views(model);
      edit.headers = headers;
    }
    if (header.magic > 0 && !header.is_log_append_time() && below(3) == 0) {
      model.timestamp = 1600000000000 + below(1 << 30);
      edit.timestamp = model.timestamp;
      timestamps_changed = true;
    }
    must(builder_.replace(record, edit), "replace");
  }

  // One of a thousand, some, or all records are changed; some or all are dropped.
  void edit_batch(Model& model) {
    const int change_one_in = below(3) == 0 ? 1 : below(2) == 0 ? 5 : 1000;
    const int drop_one_in = below(8) == 0 ? 1 : below(3) == 0 ? 4 : 1 << 30;
    const bool may_hole = model.header.magic == 2;
    const auto dropping = may_hole && below(2) == 0 ? Dropping::kLeaveHole : Dropping::kCloseUp;
    builder_.edit(reader_, dropping);
    bool timestamps_changed = false;
    std::vector<ModelRecord> kept;
    std::int32_t dropped = 0;
    RecordIterator records = reader_.records();
    pieces_.clear();
    pieces_.reserve(2 * model.records.size());
    for (std::size_t i = 0; const Record* record = must(records.next(), "record"); ++i) {
      ModelRecord& changed = model.records[i];
      if (below(drop_one_in) == 0) {
        must(builder_.drop(*record), "drop");
        ++dropped;
        continue;
      }
      if (below(change_one_in) == 0) {
        change_record(*record, changed, model.header, timestamps_changed);
      }
      changed.offset -= dropping == Dropping::kCloseUp ? dropped : 0;
      kept.push_back(changed);
    }
    model.records = std::move(kept);
    BatchHeader& header = model.header;
    header.last_offset_delta -= dropping == Dropping::kCloseUp ? dropped : 0;
    if (model.records.empty()) {
      header.attributes &= static_cast<std::int16_t>(~(kCodecMask | kDeleteHorizonBit));
    } else if ((dropped != 0 || timestamps_changed) && !header.is_log_append_time()) {
      header.max_timestamp =
          std::ranges::max_element(model.records, {}, &ModelRecord::timestamp)->timestamp;
    }
    build();
  }

  std::mt19937 random_;
  MemoryBudget budget_{256 << 20};
  CodecPool pool_{budget_};
  BatchReader reader_{pool_, budget_};
  BatchBuilder builder_{pool_, budget_};
  std::vector<std::array<Bytes, 2>> pieces_;
};

void write(std::ofstream& out, const std::string& blob, const std::string& expected) {
  std::string hex;
  append_hex(hex, blob);
  out << "blob " << hex << '\n' << expected;
}

int run(const char* kafka_file, const char* our_file, std::uint32_t seed) {
  std::ifstream in(kafka_file);
  std::ofstream out(our_file);
  Oracle oracle(seed);
  std::string blob;
  std::string kafka_reads;
  int compared = 0;
  int built = 0;
  const auto finish = [&] {
    if (blob.empty()) {
      return;
    }
    oracle.compare(blob, kafka_reads);
    ++compared;
    for (int i = 0; i < 3; ++i) {
      std::string changed;
      std::string expected;
      oracle.edit(blob, changed, expected);
      write(out, changed, expected);
      ++built;
    }
  };
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("blob ")) {
      finish();
      blob = from_hex(std::string_view(line).substr(5));
      kafka_reads.clear();
    } else {
      kafka_reads += line + '\n';
    }
  }
  finish();
  for (int i = 0; i < 150; ++i) {
    const auto magic = static_cast<std::int8_t>(i % 3);
    const auto codec = static_cast<Codec>(i % (magic == 2 ? 5 : 4));
    std::string created;
    std::string expected;
    oracle.create(magic, codec, created, expected);
    write(out, created, expected);
    ++built;
  }
  std::printf("%d %d\n", compared, built);
  return compared == 0 ? 1 : 0;
}

}  // namespace
}  // namespace grete::kafka::records

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: records_oracle KAFKA_FILE OUR_FILE SEED\n");
    return 2;
  }
  return grete::kafka::records::run(argv[1], argv[2],
                                    static_cast<std::uint32_t>(std::atoll(argv[3])));
}
