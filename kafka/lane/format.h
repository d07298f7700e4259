// The bytes of the Kafka lane, version 1: what a host and a plug-in tell each other about Kafka
// messages over Proxy-Wasm. docs/kafka-lane.md is the contract; this header mirrors it.
//
// Readers borrow from the bytes they are given. Writers write to memory that holds at least the
// size that the matching *_size function tells. Nothing here allocates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace grete::kafka::lane {

inline constexpr std::uint16_t kVersion = 1;

// Names of the host's functions, for proxy_call_foreign_function.
inline constexpr std::string_view kSubscribeFunction = "kafka.subscribe";
inline constexpr std::string_view kEditFunction = "kafka.edit";
inline constexpr std::string_view kVerdictFunction = "kafka.verdict";

// Ids of the host's calls, in proxy_on_foreign_function.
inline constexpr std::uint32_t kMessageCall = 0x4B01;
inline constexpr std::uint32_t kRecordsCall = 0x4B02;

inline constexpr std::uint32_t kMaxWindowBytes = 1U << 20;
inline constexpr std::uint16_t kMaxInterests = 1024;
inline constexpr std::uint32_t kMaxMessageBytes = 1024;
inline constexpr std::uint32_t kMaxDelayMs = 60'000;

// In `length`: to the field's end. In `size`: the field becomes null.
inline constexpr std::uint32_t kToEnd = 0xffff'ffff;
inline constexpr std::uint32_t kNull = 0xffff'ffff;
inline constexpr std::uint16_t kNullText = 0xffff;

// Statuses of the host's functions; values of Proxy-Wasm's.
enum class Status : std::uint32_t {  // NOLINT(performance-enum-size): the ABI's size
  kOk = 0,
  kNotFound = 1,
  kBadArgument = 2,
  kInternalFailure = 10,
};

enum class Direction : std::uint8_t { kRequest = 1, kResponse = 2, kBoth = 3 };
enum class Payload : std::uint8_t { kHeader = 1, kMessage = 2, kRecords = 3, kBatches = 4 };

enum class Field : std::uint8_t {
  kDrop = 0,
  kKey = 1,
  kValue = 2,
  kHeaderKey = 3,
  kHeaderValue = 4,
  kHeaders = 5,
};

enum class VerdictKind : std::uint8_t {
  kPass = 0,
  kReplace = 1,
  kReply = 2,
  kReject = 3,
  kDelay = 4,
  kClose = 5,
};

namespace flag {
inline constexpr std::uint32_t kExpectsResponse = 1U << 0;
inline constexpr std::uint32_t kLastWindow = 1U << 1;
inline constexpr std::uint32_t kMayDrop = 1U << 2;
}  // namespace flag

// Why bytes are not what the lane allows. A static text, for the host's log.
struct FormatError {
  const char* what;

  friend bool operator==(FormatError a, FormatError b) {
    return std::string_view(a.what) == b.what;
  }
};

// One entry of kafka.subscribe.
struct Interest {
  std::int16_t api_key = 0;  // -1: every key
  std::int16_t first_version = 0;
  std::int16_t last_version = 0;  // 32767: every later one
  Direction direction = Direction::kRequest;
  Payload payload = Payload::kMessage;

  friend bool operator==(const Interest&, const Interest&) = default;
};

inline constexpr std::size_t kInterestBytes = 8;

struct Subscribe {
  std::uint16_t version = kVersion;
  std::uint16_t count = 0;
  Bytes entries;  // count * kInterestBytes

  // `index` < count. Every entry was checked by read_subscribe.
  [[nodiscard]] Interest operator[](std::uint16_t index) const;
};

[[nodiscard]] constexpr std::size_t subscribe_size(std::size_t interests) {
  return 4 + interests * kInterestBytes;
}
void write_subscribe(MutableBytes to, std::uint16_t version, std::span<const Interest> interests);
[[nodiscard]] Result<Subscribe, FormatError> read_subscribe(Bytes from);

// The host's answer to kafka.subscribe.
struct Subscribed {
  std::uint16_t version = kVersion;
  std::uint32_t window_bytes = kMaxWindowBytes;

  friend bool operator==(const Subscribed&, const Subscribed&) = default;
};

inline constexpr std::size_t kSubscribedBytes = 8;
void write_subscribed(MutableBytes to, const Subscribed& answer);
[[nodiscard]] Result<Subscribed, FormatError> read_subscribed(Bytes from);

// What a records call tells about its batch and window.
struct RecordsHead {
  std::int32_t partition = 0;
  std::uint32_t batch = 0;          // index in this partition of this message
  std::uint32_t batch_records = 0;  // in the whole batch
  std::uint32_t first = 0;          // index in the batch
  std::uint32_t count = 0;          // in this window
  std::int16_t attributes = 0;
  std::int16_t producer_epoch = -1;
  std::int32_t base_sequence = -1;
  std::int64_t base_offset = 0;
  std::int64_t base_timestamp = 0;  // ms
  std::int64_t max_timestamp = 0;   // ms
  std::int64_t producer_id = -1;
  std::array<std::byte, 16> topic_id{};

  friend bool operator==(const RecordsHead&, const RecordsHead&) = default;
};

// The head of CallData.
struct CallHead {
  std::uint64_t token = 0;
  std::uint64_t connection = 0;
  std::int16_t api_key = 0;
  std::int16_t api_version = 0;
  std::int32_t correlation_id = 0;
  std::uint32_t flags = 0;
  Direction direction = Direction::kRequest;
  Payload payload = Payload::kMessage;
  std::string_view principal;
  std::optional<std::string_view> client_id;
  std::string_view address;
  std::string_view topic;  // records calls only
  RecordsHead records;     // records calls only

  friend bool operator==(const CallHead&, const CallHead&) = default;
};

// Where tokens stand in a call and in a verdict or edit, for a host that sets them last.
inline constexpr std::size_t kTokenAt = 0;
inline constexpr std::size_t kMessageHeadBytes = 48;
inline constexpr std::size_t kRecordsHeadBytes = 128;

[[nodiscard]] constexpr bool is_records_call(Payload payload) {
  return payload == Payload::kRecords || payload == Payload::kBatches;
}
// Texts are at most 65534 bytes each.
[[nodiscard]] std::size_t head_size(const CallHead& head);
void write_head(MutableBytes to, const CallHead& head);

struct Call {
  CallHead head;
  Bytes body;  // the message's body, or the records
};
[[nodiscard]] Result<Call, FormatError> read_call(std::uint32_t function, Bytes call_data);

// One change of one field of one record.
struct Edit {
  std::uint32_t record = 0;  // index in the batch
  Field field = Field::kValue;
  std::uint16_t header = 0;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;    // or kToEnd
  std::optional<Bytes> bytes;  // nullopt: the field becomes null
};

inline constexpr std::size_t kEditsHeadBytes = 16;
inline constexpr std::size_t kEditHeadBytes = 20;

[[nodiscard]] inline std::size_t edit_size(const Edit& edit) {
  return kEditHeadBytes + (edit.bytes ? edit.bytes->size() : 0);
}
void write_edits_head(MutableBytes to, std::uint64_t token, std::uint32_t count);
// Returns the size written. edit.bytes is shorter than 4 GiB - 1.
std::size_t write_edit(MutableBytes to, const Edit& edit);

// Reads the arguments of kafka.edit one edit after the other.
class EditReader {
 public:
  [[nodiscard]] static Result<EditReader, FormatError> open(Bytes arguments);

  [[nodiscard]] std::uint64_t token() const { return token_; }
  [[nodiscard]] std::uint32_t count() const { return count_; }
  // Call it count() times. Checks each edit by itself, not its order or the record.
  [[nodiscard]] Result<Edit, FormatError> next();
  // True once everything was read, with no byte left.
  [[nodiscard]] bool complete() const { return left_ == 0 && rest_.empty(); }

 private:
  EditReader(std::uint64_t token, std::uint32_t count, Bytes rest)
      : token_(token), count_(count), left_(count), rest_(rest) {}

  std::uint64_t token_;
  std::uint32_t count_;
  std::uint32_t left_;
  Bytes rest_;
};

// The arguments of kafka.verdict.
struct Verdict {
  std::uint64_t token = 0;
  VerdictKind kind = VerdictKind::kPass;
  std::int16_t code = 0;
  std::uint32_t delay_ms = 0;
  std::string_view message;
  std::span<const std::uint32_t> records;  // for write_verdict; read_verdict sets record_bytes
  Bytes record_bytes;                      // n little-endian u32
  Bytes bytes;

  [[nodiscard]] std::size_t record_count() const { return record_bytes.size() / 4; }
  [[nodiscard]] std::uint32_t record(std::size_t index) const {
    return load_little<std::uint32_t>(record_bytes.data() + index * 4);
  }
};

inline constexpr std::size_t kVerdictHeadBytes = 32;
[[nodiscard]] std::size_t verdict_size(const Verdict& verdict);
void write_verdict(MutableBytes to, const Verdict& verdict);
// Checks shapes and limits, not whether the verdict is allowed in this call.
[[nodiscard]] Result<Verdict, FormatError> read_verdict(Bytes arguments);

}  // namespace grete::kafka::lane
