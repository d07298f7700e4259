#include "kafka/lane/format.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace grete::kafka::lane {
namespace {

std::vector<std::byte> from_hex(std::string_view hex) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < hex.size();) {
    if (hex[i] == ' ') {
      ++i;
      continue;
    }
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
    i += 2;
  }
  return bytes;
}

CallHead records_head() {
  CallHead head;
  head.token = 0x0102030405060708;
  head.connection = 9;
  head.api_key = 0;
  head.api_version = 11;
  head.correlation_id = -2;
  head.flags = flag::kExpectsResponse | flag::kLastWindow;
  head.payload = Payload::kRecords;
  head.principal = "User:a";
  head.client_id = "c";
  head.address = "10.0.0.1:5";
  head.topic = "orders";
  head.records = {.partition = 3,
                  .batch = 1,
                  .batch_records = 20,
                  .first = 5,
                  .count = 2,
                  .attributes = 4,
                  .producer_epoch = 7,
                  .base_sequence = 70,
                  .base_offset = 1000,
                  .base_timestamp = 1'700'000'000'000,
                  .max_timestamp = 1'700'000'000'001,
                  .producer_id = 42,
                  .topic_id = {}};
  head.records.topic_id[15] = std::byte{0xee};
  return head;
}

TEST(LaneFormatTest, TheBytesOfASubscription) {
  const std::vector<Interest> interests = {{0, 0, 32767, Direction::kRequest, Payload::kRecords},
                                           {-1, 0, 3, Direction::kBoth, Payload::kHeader}};
  std::vector<std::byte> bytes(subscribe_size(interests.size()));
  write_subscribe(bytes, 1, interests);
  EXPECT_EQ(bytes, from_hex("0100 0200  0000 0000 ff7f 01 03  ffff 0000 0300 03 01"));
  const auto read = read_subscribe(bytes);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->version, 1);
  ASSERT_EQ(read->count, 2);
  EXPECT_EQ((*read)[0], interests[0]);
  EXPECT_EQ((*read)[1], interests[1]);
}

TEST(LaneFormatTest, SubscriptionsThatMakeNoSenseAreRefused) {
  for (const char* hex : {
           "",                                   // nothing
           "0100 0100",                          // an entry is missing
           "0000 0000",                          // version 0
           "0100 0100 feff 0000 0000 01 02",     // key -2
           "0100 0100 0000 0500 0400 01 02",     // versions 5 to 4
           "0100 0100 0000 ffff 0400 01 02",     // versions from -1
           "0100 0100 0000 0000 0400 00 02",     // direction 0
           "0100 0100 0000 0000 0400 04 02",     // direction 4
           "0100 0100 0000 0000 0400 01 05",     // payload 5
           "0100 0100 0000 0000 0400 02 03",     // records in Produce responses
           "0100 0100 0100 0000 0400 01 04",     // batches in Fetch requests
           "0100 0100 0000 0000 0400 01 02 00",  // a byte too many
       }) {
    EXPECT_FALSE(read_subscribe(from_hex(hex)).has_value()) << hex;
  }
  EXPECT_TRUE(read_subscribe(from_hex("0100 0000")).has_value());
}

TEST(LaneFormatTest, TheAnswerToASubscriptionMayGrow) {
  std::vector<std::byte> bytes(kSubscribedBytes);
  write_subscribed(bytes, {});
  EXPECT_EQ(bytes, from_hex("0100 0000 00001000"));
  bytes.push_back(std::byte{9});
  EXPECT_EQ(read_subscribed(bytes), (Result<Subscribed, FormatError>(Subscribed{})));
  EXPECT_FALSE(read_subscribed(Bytes(bytes).first(7)).has_value());
}

TEST(LaneFormatTest, TheBytesOfAMessageCall) {
  CallHead head;
  head.token = 1;
  head.connection = 2;
  head.api_key = 3;
  head.api_version = 12;
  head.correlation_id = 77;
  head.direction = Direction::kResponse;
  head.address = "a:1";
  std::vector<std::byte> bytes(head_size(head));
  write_head(bytes, head);
  EXPECT_EQ(bytes, from_hex("0100000000000000 0200000000000000 0300 0c00 4d000000 00000000 02 02"
                            "3000 33000000 0000 ffff 0300 0000 00000000 613a31"));
  bytes.push_back(std::byte{0xab});
  const auto call = read_call(kMessageCall, bytes);
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->head, head);
  ASSERT_EQ(call->body.size(), 1U);
  EXPECT_EQ(call->body[0], std::byte{0xab});
}

TEST(LaneFormatTest, ARecordsCallComesBackAsItWas) {
  const CallHead head = records_head();
  std::vector<std::byte> bytes(head_size(head));
  write_head(bytes, head);
  EXPECT_EQ(bytes.size(), kRecordsHeadBytes + 6 + 1 + 10 + 6);
  EXPECT_EQ(load_little<std::int32_t>(bytes.data() + 48), 3);
  EXPECT_EQ(load_little<std::int64_t>(bytes.data() + 104), 42);
  EXPECT_EQ(bytes[127], std::byte{0xee});
  const auto call = read_call(kRecordsCall, bytes);
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->head, head);
  EXPECT_TRUE(call->body.empty());
}

TEST(LaneFormatTest, FieldsThatALaterHostAddsAreSkipped) {
  const CallHead head = records_head();
  std::vector<std::byte> bytes(head_size(head));
  write_head(bytes, head);
  bytes.insert(bytes.begin() + kRecordsHeadBytes, 8, std::byte{0x55});
  store_little(bytes.data() + 30, static_cast<std::uint16_t>(kRecordsHeadBytes + 8));
  store_little(bytes.data() + 32, static_cast<std::uint32_t>(bytes.size()));
  const auto call = read_call(kRecordsCall, bytes);
  ASSERT_TRUE(call.has_value());
  EXPECT_EQ(call->head, head);
}

TEST(LaneFormatTest, ATruncatedCallIsRefusedAtEveryLength) {
  const CallHead head = records_head();
  std::vector<std::byte> bytes(head_size(head));
  write_head(bytes, head);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(read_call(kRecordsCall, Bytes(bytes).first(size)).has_value()) << size;
  }
  EXPECT_FALSE(read_call(0x4B03, bytes).has_value());
}

TEST(LaneFormatTest, TheBytesOfEdits) {
  const Edit set{.record = 5,
                 .field = Field::kHeaderValue,
                 .header = 2,
                 .offset = 1,
                 .length = 3,
                 .bytes = as_bytes("xy")};
  const Edit null{.record = 6,
                  .field = Field::kValue,
                  .header = 0,
                  .offset = 0,
                  .length = kToEnd,
                  .bytes = std::nullopt};
  std::vector<std::byte> bytes(kEditsHeadBytes + edit_size(set) + edit_size(null));
  write_edits_head(bytes, 7, 2);
  const std::size_t first = write_edit(MutableBytes(bytes).subspan(kEditsHeadBytes), set);
  write_edit(MutableBytes(bytes).subspan(kEditsHeadBytes + first), null);
  EXPECT_EQ(bytes, from_hex("0700000000000000 02000000 00000000"
                            "05000000 04 00 0200 01000000 03000000 02000000 7879"
                            "06000000 02 00 0000 00000000 ffffffff ffffffff"));
  auto reader = EditReader::open(bytes);
  ASSERT_TRUE(reader.has_value());
  EXPECT_EQ(reader->token(), 7U);
  ASSERT_EQ(reader->count(), 2U);
  const auto one = reader->next();
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one->header, 2);
  EXPECT_EQ(as_text(*one->bytes), "xy");
  EXPECT_FALSE(reader->complete());
  const auto two = reader->next();
  ASSERT_TRUE(two.has_value());
  EXPECT_FALSE(two->bytes.has_value());
  EXPECT_TRUE(reader->complete());
  EXPECT_FALSE(reader->next().has_value());
}

TEST(LaneFormatTest, EditsThatMakeNoSenseAreRefused) {
  const std::string head = "0100000000000000 01000000 00000000";
  for (const char* edit : {
           "00000000 02 00 0000 00000000 00000000 05000000 78",  // bytes are missing
           "00000000 06 00 0000 00000000 00000000 00000000",     // field 6
           "00000000 02 00 0100 00000000 00000000 00000000",     // a value with a header index
           "00000000 02 00 0000 01000000 ffffffff ffffffff",     // null from offset 1
           "00000000 02 00 0000 00000000 05000000 ffffffff",     // null of five bytes
           "00000000 03 00 0000 00000000 ffffffff ffffffff",     // a null header key
           "00000000 00 00 0000 00000000 ffffffff 00000000",     // a drop with a length
           "00000000 05 00 0000 00000000 05000000 01000000 00",  // a part of the headers
       }) {
    const auto bytes = from_hex(head + edit);
    auto reader = EditReader::open(bytes);
    ASSERT_TRUE(reader.has_value());
    EXPECT_FALSE(reader->next().has_value()) << edit;
  }
}

TEST(LaneFormatTest, TheBytesOfAVerdict) {
  const std::vector<std::uint32_t> records = {1, 300};
  Verdict verdict;
  verdict.token = 3;
  verdict.kind = VerdictKind::kReject;
  verdict.code = 87;
  verdict.message = "no";
  verdict.records = records;
  std::vector<std::byte> bytes(verdict_size(verdict));
  write_verdict(bytes, verdict);
  EXPECT_EQ(bytes, from_hex("0300000000000000 03 00 5700 00000000 02000000 02000000 00000000"
                            "00000000 6e6f 01000000 2c010000"));
  const auto read = read_verdict(bytes);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->kind, VerdictKind::kReject);
  EXPECT_EQ(read->message, "no");
  ASSERT_EQ(read->record_count(), 2U);
  EXPECT_EQ(read->record(1), 300U);
}

TEST(LaneFormatTest, VerdictsThatMakeNoSenseAreRefused) {
  Verdict too_long;
  too_long.kind = VerdictKind::kReject;
  const std::string text(kMaxMessageBytes + 1, 'x');
  too_long.message = text;
  Verdict code_of_a_pass;
  code_of_a_pass.code = 1;
  Verdict bytes_of_a_close;
  bytes_of_a_close.kind = VerdictKind::kClose;
  bytes_of_a_close.bytes = as_bytes("x");
  Verdict long_delay;
  long_delay.kind = VerdictKind::kDelay;
  long_delay.delay_ms = kMaxDelayMs + 1;
  Verdict unknown;
  unknown.kind = static_cast<VerdictKind>(6);
  for (const Verdict& verdict : {too_long, code_of_a_pass, bytes_of_a_close, long_delay, unknown}) {
    std::vector<std::byte> bytes(verdict_size(verdict));
    write_verdict(bytes, verdict);
    EXPECT_FALSE(read_verdict(bytes).has_value());
  }
  EXPECT_FALSE(read_verdict({}).has_value());
}

}  // namespace
}  // namespace grete::kafka::lane
