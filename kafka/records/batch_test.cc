#include "kafka/records/batch.h"

#include <gtest/gtest.h>

#include "kafka/records/batch_reader.h"
#include "kafka/records/crc32c.h"
#include "kafka/records/limits.h"
#include "kafka/records/random_batch.h"

namespace grete::kafka::records {
namespace {

class BatchTest : public testing::Test {
 protected:
  std::string make(Codec codec, const std::vector<OwnedRecord>& records, BatchHeader header = {}) {
    header.attributes =
        static_cast<std::int16_t>(header.attributes | static_cast<std::int16_t>(codec));
    return make_batch(builder_, header, records);
  }

  // A batch of magic 2, plain, around hand-written records, with a right CRC.
  std::string around(std::string_view records, std::int32_t count) {
    std::string batch = make(Codec::kNone, {});
    batch += records;
    auto* bytes = reinterpret_cast<std::byte*>(batch.data());
    BatchHeader header{.count = count};
    header.length = static_cast<std::int32_t>(batch.size() - kLogOverheadBytes);
    write_header(bytes, header);
    store_big(bytes + kCrcAt, crc32c(as_bytes(batch).subspan(kCheckedFrom)));
    return batch;
  }

  Result<std::vector<OwnedRecord>, Error> read(std::string_view batch,
                                               CrcCheck crc = CrcCheck::kVerify) {
    GRETE_TRY(reader_.start(as_bytes(batch), crc));
    GRETE_TRY(run_to_end(reader_));
    return owned_records(reader_);
  }

  Error error_of(std::string_view batch, CrcCheck crc = CrcCheck::kVerify) {
    const auto records = read(batch, crc);
    EXPECT_FALSE(records);
    return records ? Error{ErrorCode::kMayNotDrop} : records.error();
  }

  MemoryBudget budget_{64 << 20};
  CodecPool pool_{budget_};
  BatchBuilder builder_{pool_, budget_};
  BatchReader reader_{pool_, budget_, 16 << 20};
  RandomRecords random_{test_seed()};
};

TEST_F(BatchTest, KeepsEveryFieldOfTheHeader) {
  const BatchHeader header{.base_offset = 0x0102030405060708,
                           .leader_epoch = 9,
                           .attributes = kTransactionalBit | kLogAppendTimeBit,
                           .base_timestamp = 1600000000000,
                           .max_timestamp = 1700000000000,
                           .producer_id = 0x1112131415161718,
                           .producer_epoch = 0x1920,
                           .base_sequence = 0x21222324};
  const std::string batch = make(Codec::kNone, random_.records(2, 7), header);
  const auto parsed = parse_header(as_bytes(batch));
  ASSERT_TRUE(parsed);
  BatchHeader expected = header;
  expected.length = static_cast<std::int32_t>(batch.size() - kLogOverheadBytes);
  expected.crc = crc32c(as_bytes(batch).subspan(kCheckedFrom));
  expected.last_offset_delta = 6;
  expected.count = 7;
  EXPECT_EQ(*parsed, expected);
  EXPECT_TRUE(parsed->is_transactional());
  EXPECT_TRUE(parsed->is_idempotent());
  EXPECT_FALSE(parsed->is_control());
  // The broker's time holds for every record.
  ASSERT_TRUE(read(batch));
  for (const OwnedRecord& record : *read(batch)) {
    EXPECT_EQ(record.timestamp, 1700000000000);
  }
}

TEST_F(BatchTest, ReadsWhatWasBuiltInEveryCodec) {
  for (int turn = 0; turn < 200; ++turn) {
    const auto codec = static_cast<Codec>(turn % 5);
    const auto records = random_.records(2, 1 + random_.below(40));
    const auto back = read(make(codec, records));
    ASSERT_TRUE(back) << describe(back.error().code);
    ASSERT_EQ(*back, records);
    ASSERT_EQ(reader_.header().count, static_cast<std::int32_t>(records.size()));
  }
}

TEST_F(BatchTest, TellsNullFromEmpty) {
  const std::vector<OwnedRecord> records = {
      {.timestamp = 1, .key = std::nullopt, .value = "", .headers = {{"", std::nullopt}}},
      {.timestamp = 2, .key = "", .value = std::nullopt, .headers = {{"a", ""}}}};
  EXPECT_EQ(*read(make(Codec::kNone, records)), records);
}

TEST_F(BatchTest, ReadsAnEmptyBatch) {
  EXPECT_TRUE(read(around("", 0))->empty());
}

TEST_F(BatchTest, SplitsBatchesAndKeepsAPartialOne) {
  const std::string one = make(Codec::kLz4, random_.records(2, 3));
  const std::string two = make(Codec::kNone, random_.records(2, 1));
  const std::string blob = one + two;
  for (std::size_t size = 0; size <= blob.size(); ++size) {
    BatchSplitter splitter(as_bytes(std::string_view(blob).substr(0, size)));
    std::size_t whole = 0;
    while (const auto batch = *splitter.next()) {
      EXPECT_EQ(as_text(*batch), whole == 0 ? one : two);
      ++whole;
    }
    EXPECT_EQ(whole, size == blob.size() ? 2u : size >= one.size() ? 1u : 0u);
    EXPECT_EQ(splitter.rest().size(),
              size - (whole > 0 ? one.size() : 0) - (whole > 1 ? two.size() : 0));
  }
}

TEST_F(BatchTest, NamesWhatIsWrongWithAHeader) {
  const std::string good = make(Codec::kNone, random_.records(2, 3));
  const auto with = [&](std::size_t at, std::string_view bytes) {
    std::string batch = good;
    batch.replace(at, bytes.size(), bytes);
    return batch;
  };
  EXPECT_EQ(error_of(good.substr(0, 16)), (Error{ErrorCode::kTruncated, 16}));
  EXPECT_EQ(error_of(good.substr(0, good.size() - 1)),
            (Error{ErrorCode::kTruncated, good.size() - 1}));
  EXPECT_EQ(error_of(good + 'x'), (Error{ErrorCode::kBadLength, 8}));
  EXPECT_EQ(error_of(with(8, "\xff")), (Error{ErrorCode::kBadLength, 8}));
  EXPECT_EQ(error_of(with(8, std::string("\0\0\0\x30", 4))), (Error{ErrorCode::kBadLength, 8}));
  EXPECT_EQ(error_of(with(16, "\x03")), (Error{ErrorCode::kUnsupportedMagic, 16}));
  EXPECT_EQ(error_of(with(16, "\xff")), (Error{ErrorCode::kUnsupportedMagic, 16}));
  EXPECT_EQ(error_of(with(22, "\x05")), (Error{ErrorCode::kUnsupportedCodec, 21}));
  EXPECT_EQ(error_of(with(57, "\xff")), (Error{ErrorCode::kBadRecordCount, 57}));
  EXPECT_EQ(error_of(with(57, "\x10")), (Error{ErrorCode::kBadRecordCount, 57}));
  EXPECT_EQ(error_of(with(30, "\x55")), (Error{ErrorCode::kCrcMismatch, 17}));
  // The broker writes offset and leader epoch without touching the CRC.
  EXPECT_TRUE(read(with(3, "\x55")));
  EXPECT_TRUE(read(with(12, "\x55")));
}

TEST_F(BatchTest, NamesWhatIsWrongWithARecord) {
  // length, attributes, timestamp delta, offset delta, key, value, headers
  const std::string_view good("\x10\0\0\0\x02k\x02v\0", 9);
  ASSERT_TRUE(read(around(good, 1)));
  struct Case {
    std::string_view records;
    ErrorCode code;
    std::uint64_t position;
  };
  const Case cases[] = {
      {{"\x12\0\0\0\x02k\x02v\0", 9}, ErrorCode::kTruncated, 0},
      {{"\x0f\0\0\0\x02k\x02v\0", 9}, ErrorCode::kBadRecordLength, 0},
      {{"\x0e\0\0\0\x02k\x02v\0", 9}, ErrorCode::kBadRecordLength, 8},
      {{"\x10\0\0\0\x10k\x02v\0", 9}, ErrorCode::kBadRecordLength, 5},
      {{"\x10\0\0\0\x02k\x00v\0", 9}, ErrorCode::kBadField, 8},
      {{"\x10\0\0\0\x02k\x02v\x02", 9}, ErrorCode::kBadField, 9},
      {{"\x10\0\0\0\x02k\x02v\x01", 9}, ErrorCode::kBadField, 9},
      {{"\xff\xff\xff\xff\xff\xff\xff\xff", 8}, ErrorCode::kBadVarint, 0},
      {{"\x10\0\0\0\x02k\x02v\0\0", 10}, ErrorCode::kTrailingBytes, 9},
      // One header with a null key.
      {{"\x12\0\0\0\x01\x01\x02\x01\x01\0", 10}, ErrorCode::kBadField, 7},
      {{"\x0e\0\xff\xff\xff\xff\xff\xff", 8}, ErrorCode::kBadRecordLength, 2},
  };
  for (const Case& bad : cases) {
    const Error error = error_of(around(bad.records, 1));
    EXPECT_EQ(error, (Error{bad.code, bad.position}))
        << describe(error.code) << " at " << error.position << ", case " << (&bad - cases);
  }
}

TEST_F(BatchTest, SurvivesAnyDamage) {
  for (int turn = 0; turn < 5000; ++turn) {
    std::string batch = make(static_cast<Codec>(turn % 5), random_.records(2, 1 + turn % 7));
    for (std::size_t changes = 1 + random_.below(4); changes > 0; --changes) {
      batch[16 + random_.below(batch.size() - 16)] = static_cast<char>(random_.below(256));
    }
    const auto records = read(batch, CrcCheck::kSkip);
    EXPECT_TRUE(!records || records->size() <= batch.size() + (16 << 20) / kMinRecordBytes);
    EXPECT_LE(budget_.used(), budget_.limit());
  }
}

TEST_F(BatchTest, LimitsWhatABatchDecompressesTo) {
  const std::vector<OwnedRecord> bomb = {
      {.timestamp = 1, .key = {}, .value = std::string(20 << 20, 'a'), .headers = {}}};
  for (int codec = 1; codec < 5; ++codec) {
    EXPECT_EQ(error_of(make(static_cast<Codec>(codec), bomb)).code, ErrorCode::kDecompressedTooBig);
  }
}

TEST_F(BatchTest, AllocatesNothingInSteadyState) {
  for (int codec = 0; codec < 5; ++codec) {
    const std::string batch = make(static_cast<Codec>(codec), random_.records(2, 500));
    ASSERT_TRUE(read(batch));
    reader_.finish();
    const std::uint64_t used = budget_.used();
    for (int turn = 0; turn < 20; ++turn) {
      ASSERT_TRUE(read(batch));
      reader_.finish();
      ASSERT_EQ(budget_.used(), used);
    }
  }
}

}  // namespace
}  // namespace grete::kafka::records
