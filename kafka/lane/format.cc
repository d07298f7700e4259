#include "kafka/lane/format.h"

#include <cstring>

namespace grete::kafka::lane {
namespace {

// Writes fields one after the other. The caller made sure of the room.
class Writer {
 public:
  explicit Writer(MutableBytes to) : at_(to.data()) {}

  template <class T>
  Writer& put(T value) {
    store_little(at_, value);
    at_ += sizeof value;
    return *this;
  }
  Writer& put(Bytes bytes) {
    if (!bytes.empty()) {
      std::memcpy(at_, bytes.data(), bytes.size());
      at_ += bytes.size();
    }
    return *this;
  }
  Writer& put(std::string_view text) { return put(as_bytes(text)); }

 private:
  std::byte* at_;
};

// Reads fields one after the other; after a read beyond the end everything is zero and ok() false.
class Reader {
 public:
  explicit Reader(Bytes from) : rest_(from) {}

  template <class T>
  T get() {
    if (rest_.size() < sizeof(T)) {
      fail();
      return T{};
    }
    const T value = load_little<T>(rest_.data());
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }
  Bytes get(std::uint64_t size) {
    if (rest_.size() < size) {
      fail();
      return {};
    }
    const Bytes taken = rest_.first(static_cast<std::size_t>(size));
    rest_ = rest_.subspan(static_cast<std::size_t>(size));
    return taken;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] Bytes rest() const { return rest_; }

 private:
  void fail() {
    ok_ = false;
    rest_ = {};
  }

  Bytes rest_;
  bool ok_ = true;
};

constexpr std::int16_t kProduce = 0;
constexpr std::int16_t kFetch = 1;

Interest read_interest(const std::byte* at) {
  Interest interest;
  interest.api_key = load_little<std::int16_t>(at);
  interest.first_version = load_little<std::int16_t>(at + 2);
  interest.last_version = load_little<std::int16_t>(at + 4);
  interest.direction = static_cast<Direction>(at[6]);
  interest.payload = static_cast<Payload>(at[7]);
  return interest;
}

const char* why_not(const Interest& interest) {
  if (interest.api_key < -1) {
    return "an API key is negative (-1 alone means every key)";
  }
  if (interest.first_version < 0 || interest.last_version < interest.first_version) {
    return "a version range is empty or negative";
  }
  if (interest.direction < Direction::kRequest || interest.direction > Direction::kBoth) {
    return "a direction is none of 1, 2, 3";
  }
  if (interest.payload < Payload::kHeader || interest.payload > Payload::kBatches) {
    return "a payload is none of 1, 2, 3, 4";
  }
  if (is_records_call(interest.payload)) {
    const bool produced = interest.api_key == kProduce && interest.direction == Direction::kRequest;
    const bool fetched = interest.api_key == kFetch && interest.direction == Direction::kResponse;
    if (!produced && !fetched) {
      return "records and batches exist only in requests of key 0 (Produce) and responses of key 1 "
             "(Fetch)";
    }
  }
  return nullptr;
}

const char* why_not(const Edit& edit) {
  if (edit.field > Field::kHeaders) {
    return "an edit's field is none of 0 to 5";
  }
  if (edit.field != Field::kHeaderKey && edit.field != Field::kHeaderValue && edit.header != 0) {
    return "an edit names a header, but its field is no header's";
  }
  const bool whole = edit.offset == 0 && edit.length == kToEnd;
  switch (edit.field) {
    case Field::kDrop:
      if (edit.offset != 0 || edit.length != 0 || !edit.bytes || !edit.bytes->empty()) {
        return "a drop has an offset, a length or bytes";
      }
      break;
    case Field::kHeaders:
      if (!whole || !edit.bytes) {
        return "field 5 (headers) is replaced as a whole: offset 0, length 0xFFFFFFFF, bytes";
      }
      break;
    case Field::kHeaderKey:
      if (!edit.bytes) {
        return "a header key cannot be null";
      }
      break;
    default:
      if (!edit.bytes && !whole) {
        return "null replaces a field as a whole: offset 0, length 0xFFFFFFFF";
      }
  }
  return nullptr;
}

std::uint16_t text_size(std::string_view text) {
  return static_cast<std::uint16_t>(text.size());
}

}  // namespace

Interest Subscribe::operator[](std::uint16_t index) const {
  return read_interest(entries.data() + std::size_t{index} * kInterestBytes);
}

void write_subscribe(MutableBytes to, std::uint16_t version, std::span<const Interest> interests) {
  Writer out(to);
  out.put(version).put(static_cast<std::uint16_t>(interests.size()));
  for (const Interest& interest : interests) {
    out.put(interest.api_key).put(interest.first_version).put(interest.last_version);
    out.put(static_cast<std::uint8_t>(interest.direction));
    out.put(static_cast<std::uint8_t>(interest.payload));
  }
}

Result<Subscribe, FormatError> read_subscribe(Bytes from) {
  Reader in(from);
  Subscribe subscribe;
  subscribe.version = in.get<std::uint16_t>();
  subscribe.count = in.get<std::uint16_t>();
  subscribe.entries = in.rest();
  if (!in.ok() || subscribe.entries.size() != subscribe.count * kInterestBytes) {
    return unexpected(FormatError{"the size is not 4 + 8 for each entry"});
  }
  if (subscribe.version == 0) {
    return unexpected(FormatError{"version 0 of the lane does not exist"});
  }
  if (subscribe.count > kMaxInterests) {
    return unexpected(FormatError{"more than 1024 entries"});
  }
  for (std::uint16_t i = 0; i < subscribe.count; ++i) {
    if (const char* what = why_not(subscribe[i])) {
      return unexpected(FormatError{what});
    }
  }
  return subscribe;
}

void write_subscribed(MutableBytes to, const Subscribed& answer) {
  Writer(to).put(answer.version).put(std::uint16_t{0}).put(answer.window_bytes);
}

Result<Subscribed, FormatError> read_subscribed(Bytes from) {
  if (from.size() < kSubscribedBytes) {
    return unexpected(FormatError{"the answer is shorter than 8 bytes"});
  }
  return Subscribed{load_little<std::uint16_t>(from.data()),
                    load_little<std::uint32_t>(from.data() + 4)};
}

std::size_t head_size(const CallHead& head) {
  const std::size_t fixed = is_records_call(head.payload) ? kRecordsHeadBytes : kMessageHeadBytes;
  return fixed + head.principal.size() + head.client_id.value_or("").size() + head.address.size() +
         head.topic.size();
}

void write_head(MutableBytes to, const CallHead& head) {
  const bool with_records = is_records_call(head.payload);
  const std::size_t texts_at = with_records ? kRecordsHeadBytes : kMessageHeadBytes;
  Writer out(to);
  out.put(head.token).put(head.connection).put(head.api_key).put(head.api_version);
  out.put(head.correlation_id).put(head.flags);
  out.put(static_cast<std::uint8_t>(head.direction)).put(static_cast<std::uint8_t>(head.payload));
  out.put(static_cast<std::uint16_t>(texts_at)).put(static_cast<std::uint32_t>(head_size(head)));
  out.put(text_size(head.principal));
  out.put(head.client_id ? text_size(*head.client_id) : kNullText);
  out.put(text_size(head.address)).put(text_size(head.topic)).put(std::uint32_t{0});
  if (with_records) {
    const RecordsHead& records = head.records;
    out.put(records.partition).put(records.batch).put(records.batch_records);
    out.put(records.first).put(records.count).put(records.attributes).put(records.producer_epoch);
    out.put(records.base_sequence).put(std::uint32_t{0}).put(records.base_offset);
    out.put(records.base_timestamp).put(records.max_timestamp).put(records.producer_id);
    out.put(Bytes{records.topic_id});
  }
  out.put(head.principal).put(head.client_id.value_or("")).put(head.address).put(head.topic);
}

Result<Call, FormatError> read_call(std::uint32_t function, Bytes call_data) {
  Call call;
  CallHead& head = call.head;
  Reader in(call_data);
  head.token = in.get<std::uint64_t>();
  head.connection = in.get<std::uint64_t>();
  head.api_key = in.get<std::int16_t>();
  head.api_version = in.get<std::int16_t>();
  head.correlation_id = in.get<std::int32_t>();
  head.flags = in.get<std::uint32_t>();
  head.direction = static_cast<Direction>(in.get<std::uint8_t>());
  head.payload = static_cast<Payload>(in.get<std::uint8_t>());
  const auto texts_at = in.get<std::uint16_t>();
  const auto body_at = in.get<std::uint32_t>();
  const auto principal_size = in.get<std::uint16_t>();
  const auto client_id_size = in.get<std::uint16_t>();
  const auto address_size = in.get<std::uint16_t>();
  const auto topic_size = in.get<std::uint16_t>();
  in.get<std::uint32_t>();
  if (function == kRecordsCall) {
    RecordsHead& records = head.records;
    records.partition = in.get<std::int32_t>();
    records.batch = in.get<std::uint32_t>();
    records.batch_records = in.get<std::uint32_t>();
    records.first = in.get<std::uint32_t>();
    records.count = in.get<std::uint32_t>();
    records.attributes = in.get<std::int16_t>();
    records.producer_epoch = in.get<std::int16_t>();
    records.base_sequence = in.get<std::int32_t>();
    in.get<std::uint32_t>();
    records.base_offset = in.get<std::int64_t>();
    records.base_timestamp = in.get<std::int64_t>();
    records.max_timestamp = in.get<std::int64_t>();
    records.producer_id = in.get<std::int64_t>();
    const Bytes topic_id = in.get(std::uint64_t{records.topic_id.size()});
    if (in.ok()) {
      std::memcpy(records.topic_id.data(), topic_id.data(), topic_id.size());
    }
  } else if (function != kMessageCall) {
    return unexpected(FormatError{"the call is none of version 1"});
  }
  if (!in.ok() || texts_at > body_at || body_at > call_data.size()) {
    return unexpected(FormatError{"the call is shorter than its head"});
  }
  Reader texts(call_data.subspan(texts_at, body_at - texts_at));
  head.principal = as_text(texts.get(std::uint64_t{principal_size}));
  if (client_id_size != kNullText) {
    head.client_id = as_text(texts.get(std::uint64_t{client_id_size}));
  }
  head.address = as_text(texts.get(std::uint64_t{address_size}));
  head.topic = as_text(texts.get(std::uint64_t{topic_size}));
  if (!texts.ok()) {
    return unexpected(FormatError{"the texts reach into the body"});
  }
  call.body = call_data.subspan(body_at);
  return call;
}

void write_edits_head(MutableBytes to, std::uint64_t token, std::uint32_t count) {
  Writer(to).put(token).put(count).put(std::uint32_t{0});
}

std::size_t write_edit(MutableBytes to, const Edit& edit) {
  Writer out(to);
  out.put(edit.record).put(static_cast<std::uint8_t>(edit.field)).put(std::uint8_t{0});
  out.put(edit.header).put(edit.offset).put(edit.length);
  out.put(edit.bytes ? static_cast<std::uint32_t>(edit.bytes->size()) : kNull);
  if (edit.bytes) {
    out.put(*edit.bytes);
  }
  return edit_size(edit);
}

Result<EditReader, FormatError> EditReader::open(Bytes arguments) {
  Reader in(arguments);
  const auto token = in.get<std::uint64_t>();
  const auto count = in.get<std::uint32_t>();
  in.get<std::uint32_t>();
  if (!in.ok()) {
    return unexpected(FormatError{"the arguments are shorter than 16 bytes"});
  }
  return EditReader(token, count, in.rest());
}

Result<Edit, FormatError> EditReader::next() {
  Reader in(rest_);
  Edit edit;
  edit.record = in.get<std::uint32_t>();
  edit.field = static_cast<Field>(in.get<std::uint8_t>());
  in.get<std::uint8_t>();
  edit.header = in.get<std::uint16_t>();
  edit.offset = in.get<std::uint32_t>();
  edit.length = in.get<std::uint32_t>();
  const auto size = in.get<std::uint32_t>();
  if (size != kNull) {
    edit.bytes = in.get(std::uint64_t{size});
  }
  if (!in.ok() || left_ == 0) {
    return unexpected(FormatError{"an edit reaches beyond the arguments"});
  }
  if (const char* what = why_not(edit)) {
    return unexpected(FormatError{what});
  }
  rest_ = in.rest();
  --left_;
  return edit;
}

std::size_t verdict_size(const Verdict& verdict) {
  return kVerdictHeadBytes + verdict.message.size() + verdict.records.size() * 4 +
         verdict.bytes.size();
}

void write_verdict(MutableBytes to, const Verdict& verdict) {
  Writer out(to);
  out.put(verdict.token).put(static_cast<std::uint8_t>(verdict.kind)).put(std::uint8_t{0});
  out.put(verdict.code).put(verdict.delay_ms);
  out.put(static_cast<std::uint32_t>(verdict.message.size()));
  out.put(static_cast<std::uint32_t>(verdict.records.size()));
  out.put(static_cast<std::uint32_t>(verdict.bytes.size())).put(std::uint32_t{0});
  out.put(verdict.message);
  for (const std::uint32_t record : verdict.records) {
    out.put(record);
  }
  out.put(verdict.bytes);
}

Result<Verdict, FormatError> read_verdict(Bytes arguments) {
  Reader in(arguments);
  Verdict verdict;
  verdict.token = in.get<std::uint64_t>();
  verdict.kind = static_cast<VerdictKind>(in.get<std::uint8_t>());
  in.get<std::uint8_t>();
  verdict.code = in.get<std::int16_t>();
  verdict.delay_ms = in.get<std::uint32_t>();
  const auto message_size = in.get<std::uint32_t>();
  const auto records = in.get<std::uint32_t>();
  const auto bytes_size = in.get<std::uint32_t>();
  in.get<std::uint32_t>();
  verdict.message = as_text(in.get(std::uint64_t{message_size}));
  verdict.record_bytes = in.get(std::uint64_t{records} * 4);
  verdict.bytes = in.get(std::uint64_t{bytes_size});
  if (!in.ok() || !in.rest().empty()) {
    return unexpected(FormatError{"the sizes do not add up to the arguments'"});
  }
  if (verdict.kind > VerdictKind::kClose) {
    return unexpected(FormatError{"the verdict is none of 0 to 5"});
  }
  if (message_size > kMaxMessageBytes) {
    return unexpected(FormatError{"the message is longer than 1024 bytes"});
  }
  if (verdict.delay_ms > kMaxDelayMs) {
    return unexpected(FormatError{"the delay is longer than 60000 ms"});
  }
  const bool rejects = verdict.kind == VerdictKind::kReject;
  const bool has_bytes =
      verdict.kind == VerdictKind::kReplace || verdict.kind == VerdictKind::kReply;
  if ((!rejects && (verdict.code != 0 || message_size != 0 || records != 0)) ||
      (!has_bytes && bytes_size != 0) ||
      (verdict.kind != VerdictKind::kDelay && verdict.delay_ms != 0)) {
    return unexpected(FormatError{"a field is set that this verdict does not use"});
  }
  return verdict;
}

}  // namespace grete::kafka::lane
