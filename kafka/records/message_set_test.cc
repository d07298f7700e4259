// Batches of magic 0 and 1 through the reader and builder that serve every magic.
#include "kafka/records/message_set.h"

#include <gtest/gtest.h>

#include "kafka/records/batch_builder.h"
#include "kafka/records/random_batch.h"

namespace grete::kafka::records {
namespace {

class MessageSetTest : public testing::TestWithParam<std::tuple<int, Codec>> {
 protected:
  std::int8_t magic() const { return static_cast<std::int8_t>(std::get<0>(GetParam())); }
  Codec codec() const { return std::get<1>(GetParam()); }

  std::string make(const std::vector<OwnedRecord>& records, std::int64_t base_offset = 0) {
    return make_batch(builder_,
                      {.base_offset = base_offset,
                       .magic = magic(),
                       .attributes = static_cast<std::int16_t>(codec())},
                      records);
  }

  Result<void, Error> read(Bytes batch) {
    GRETE_TRY(reader_.start(batch));
    return run_to_end(reader_);
  }

  std::vector<std::int64_t> offsets() {
    std::vector<std::int64_t> all;
    RecordIterator iterator = reader_.records();
    while (const Record* record = *iterator.next()) {
      all.push_back(record->offset);
    }
    return all;
  }

  MemoryBudget budget_{64 << 20};
  CodecPool pool_{budget_};
  BatchBuilder builder_{pool_, budget_};
  BatchBuilder editor_{pool_, budget_};
  BatchReader reader_{pool_, budget_};
  RandomRecords random_{test_seed()};
};

// A plain message is a batch of one; a wrapper is a batch of all.
TEST_P(MessageSetTest, RoundTrips) {
  const auto records = random_.records(magic(), 20);
  const std::string blob = make(records, 1000);
  BatchSplitter splitter(as_bytes(blob));
  std::vector<OwnedRecord> found;
  std::vector<std::int64_t> found_offsets;
  while (const auto batch = *splitter.next()) {
    ASSERT_TRUE(read(*batch));
    EXPECT_EQ(reader_.header().magic, magic());
    const auto some = *owned_records(reader_);
    EXPECT_EQ(static_cast<std::size_t>(reader_.header().count), some.size());
    found.insert(found.end(), some.begin(), some.end());
    const auto some_offsets = offsets();
    found_offsets.insert(found_offsets.end(), some_offsets.begin(), some_offsets.end());
  }
  EXPECT_EQ(found, records);
  for (std::size_t i = 0; i < found_offsets.size(); ++i) {
    EXPECT_EQ(found_offsets[i], static_cast<std::int64_t>(1000 + i));
  }
}

TEST_P(MessageSetTest, ChangesOneMessage) {
  auto records = random_.records(magic(), codec() == Codec::kNone ? 1 : 20);
  const std::string blob = make(records, 70);
  ASSERT_TRUE(read(as_bytes(blob)));
  const auto before = offsets();
  editor_.edit(reader_);
  RecordIterator iterator = reader_.records();
  const Record* record = *iterator.next();
  RecordEdit edit{.key = FieldEdit::null(),
                  .value = FieldEdit::set(as_bytes("new")),
                  .headers = {},
                  .timestamp = {}};
  if (magic() == 1) {
    edit.timestamp = 1900000000000;
    records[0].timestamp = 1900000000000;
  }
  ASSERT_TRUE(editor_.replace(*record, edit));
  records[0].key = std::nullopt;
  records[0].value = "new";
  ASSERT_TRUE(run_to_end(editor_));
  ASSERT_TRUE(read(editor_.batch()));
  EXPECT_EQ(*owned_records(reader_), records);
  EXPECT_EQ(offsets(), before);
  if (magic() == 1) {
    EXPECT_EQ(reader_.header().max_timestamp, 1900000000000);
  }
  // Each message has a CRC of its own.
  for (Bytes left = reader_.encoded_records(); !left.empty();) {
    const auto message = read_message(left);
    ASSERT_TRUE(message);
    EXPECT_EQ(load_big<std::uint32_t>(message->encoded.data() + kMessageCrcAt),
              crc32(message->encoded.subspan(16)));
    left = left.subspan(message->encoded.size());
  }
}

TEST_P(MessageSetTest, DropsOnProduceOnly) {
  const auto records = random_.records(magic(), codec() == Codec::kNone ? 1 : 5);
  const std::string blob = make(records);
  ASSERT_TRUE(read(as_bytes(blob)));
  editor_.edit(reader_);
  RecordIterator iterator = reader_.records();
  EXPECT_EQ(editor_.drop(**iterator.next()).error().code, ErrorCode::kMayNotDrop);
  editor_.edit(reader_, Dropping::kCloseUp);
  iterator = reader_.records();
  ASSERT_TRUE(editor_.drop(**iterator.next()));
  ASSERT_TRUE(run_to_end(editor_));
  if (codec() == Codec::kNone) {
    EXPECT_TRUE(editor_.batch().empty());
    return;
  }
  ASSERT_TRUE(read(editor_.batch()));
  EXPECT_EQ(*owned_records(reader_), std::vector<OwnedRecord>(records.begin() + 1, records.end()));
  EXPECT_EQ(offsets(), (std::vector<std::int64_t>{0, 1, 2, 3}));
}

TEST_P(MessageSetTest, HasNoHeaders) {
  const std::string blob = make(random_.records(magic(), 1));
  ASSERT_TRUE(read(as_bytes(blob)));
  RecordIterator iterator = reader_.records();
  editor_.edit(reader_);
  EXPECT_EQ(
      editor_
          .replace(
              **iterator.next(),
              {.key = {}, .value = {}, .headers = std::span<const HeaderView>{}, .timestamp = {}})
          .error()
          .code,
      ErrorCode::kNotInThisMagic);
}

TEST_P(MessageSetTest, SurvivesAnyDamage) {
  for (int turn = 0; turn < 1000; ++turn) {
    std::string blob = make(random_.records(magic(), codec() == Codec::kNone ? 1 : 3));
    for (std::size_t changes = 1 + random_.below(3); changes > 0; --changes) {
      blob[8 + random_.below(blob.size() - 8)] = static_cast<char>(random_.below(256));
    }
    if (reader_.start(as_bytes(blob), CrcCheck::kSkip) && run_to_end(reader_)) {
      // The messages of a wrapper were read already, to number them.
      const bool was_numbered =
          reader_.header().magic < 2 && reader_.header().codec() != Codec::kNone;
      EXPECT_TRUE(reader_.validate() || !was_numbered);
    }
  }
}

TEST_P(MessageSetTest, RefusesNestingAndStrangers) {
  if (codec() == Codec::kNone) {
    return;
  }
  const auto wrap = [&](std::string_view set) {
    Compressor compressor(pool_);
    ByteBuffer value(budget_);
    compressor.start(codec(), as_bytes(set),
                     magic() == 0 ? Lz4Header::kMagic0 : Lz4Header::kStandard);
    while (*compressor.step(value) == Progress::kMore) {
    }
    std::string message = make_batch(
        builder_, {.magic = magic()},
        {{.timestamp = 1, .key = {}, .value = std::string(as_text(value.bytes())), .headers = {}}});
    auto* bytes = reinterpret_cast<std::byte*>(message.data());
    bytes[kMessageAttributesAt] = static_cast<std::byte>(codec());
    store_big(bytes + kMessageCrcAt, crc32(as_bytes(message).subspan(16)));
    return message;
  };
  const auto error_of = [&](std::string_view set) {
    const std::string message = wrap(set);
    return read(as_bytes(message)).error().code;
  };
  const auto records = random_.records(magic(), 3);
  EXPECT_EQ(error_of(make(records)), ErrorCode::kNestedCompression);
  const auto other = static_cast<std::int8_t>(1 - magic());
  EXPECT_EQ(error_of(make_batch(builder_, {.magic = other}, records)), ErrorCode::kMagicMismatch);
  EXPECT_EQ(error_of(""), ErrorCode::kBadRecordCount);
  std::string cut = make_batch(builder_, {.magic = magic()}, records);
  cut.pop_back();
  EXPECT_EQ(error_of(cut), ErrorCode::kTruncated);
}

INSTANTIATE_TEST_SUITE_P(MagicAndCodec, MessageSetTest,
                         testing::Combine(testing::Values(0, 1),
                                          testing::Values(Codec::kNone, Codec::kGzip,
                                                          Codec::kSnappy, Codec::kLz4)),
                         [](const auto& parameter) {
                           return "Magic" + std::to_string(std::get<0>(parameter.param)) +
                                  std::string(codec_name(std::get<1>(parameter.param)));
                         });

// From Kafka 0.8's protocol guide: crc, magic 0, no codec, key "k", value "v".
TEST(Message, HasTheLayoutOfKafka) {
  const std::string_view bytes("\0\0\0\0\0\0\0\x05\0\0\0\x10\0\0\0\0\0\0\0\0\0\x01k\0\0\0\x01v",
                               28);
  const auto message = read_message(as_bytes(bytes));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->offset, 5);
  EXPECT_EQ(as_text_field(message->key), "k");
  EXPECT_EQ(as_text_field(message->value), "v");
  EXPECT_EQ(crc32(as_bytes("123456789")), 0xcbf43926u);
}

}  // namespace
}  // namespace grete::kafka::records
