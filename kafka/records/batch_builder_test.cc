#include "kafka/records/batch_builder.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "kafka/records/limits.h"
#include "kafka/records/random_batch.h"

namespace grete::kafka::records {
namespace {

class BatchBuilderTest : public testing::Test {
 protected:
  // Makes a batch of magic 2 and reads it.
  void given(Codec codec, std::size_t count, BatchHeader header = {}) {
    header.attributes =
        static_cast<std::int16_t>(header.attributes | static_cast<std::int16_t>(codec));
    records_ = random_.records(2, count);
    original_ = make_batch(original_builder_, header, records_);
    ASSERT_TRUE(original_reader_.start(as_bytes(original_)));
    ASSERT_TRUE(run_to_end(original_reader_));
  }

  // The records of the original, to name in edits.
  std::vector<Record> originals() {
    std::vector<Record> all;
    RecordIterator iterator = original_reader_.records();
    while (const Record* record = *iterator.next()) {
      all.push_back(*record);
    }
    return all;
  }

  std::vector<OwnedRecord> rebuilt() {
    EXPECT_TRUE(run_to_end(builder_));
    EXPECT_TRUE(reader_.start(builder_.batch()));
    EXPECT_TRUE(run_to_end(reader_));
    auto records = owned_records(reader_);
    EXPECT_TRUE(records);
    return records.value_or(std::vector<OwnedRecord>{});
  }

  MemoryBudget budget_{256 << 20};
  CodecPool pool_{budget_};
  BatchBuilder original_builder_{pool_, budget_};
  BatchReader original_reader_{pool_, budget_};
  BatchBuilder builder_{pool_, budget_};
  BatchReader reader_{pool_, budget_};
  RandomRecords random_{test_seed()};
  std::vector<OwnedRecord> records_;
  std::string original_;
};

TEST_F(BatchBuilderTest, AnEditOfNothingChangesNothing) {
  given(Codec::kNone, 10);
  builder_.edit(original_reader_);
  EXPECT_FALSE(builder_.changed());
  ASSERT_TRUE(run_to_end(builder_));
  EXPECT_EQ(as_text(builder_.batch()), original_);
}

TEST_F(BatchBuilderTest, KeepsWhatAnEditDoesNotName) {
  const BatchHeader identity{.base_offset = 5000,
                             .leader_epoch = 3,
                             .attributes = kTransactionalBit,
                             .producer_id = 77,
                             .producer_epoch = 2,
                             .base_sequence = 900};
  for (int codec = 0; codec < 5; ++codec) {
    given(static_cast<Codec>(codec), 1000, identity);
    builder_.edit(original_reader_);
    const std::vector<Record> all = originals();
    ASSERT_TRUE(builder_.replace(
        all[500],
        {.key = {}, .value = FieldEdit::set(as_bytes("masked")), .headers = {}, .timestamp = {}}));
    EXPECT_TRUE(builder_.changed());
    records_[500].value = "masked";
    EXPECT_EQ(rebuilt(), records_);
    BatchHeader expected = original_reader_.header();
    expected.length = reader_.header().length;
    expected.crc = reader_.header().crc;
    EXPECT_EQ(reader_.header(), expected);
  }
}

TEST_F(BatchBuilderTest, ChangesEveryField) {
  given(Codec::kZstd, 6);
  builder_.edit(original_reader_);
  const std::vector<Record> all = originals();
  const Bytes pieces[] = {as_bytes("one "), as_bytes(""), as_bytes("two")};
  const HeaderView headers[] = {{.key = "h", .value = std::nullopt},
                                {.key = "", .value = as_bytes("v")}};
  ASSERT_TRUE(builder_.replace(
      all[0], {.key = FieldEdit::set(pieces), .value = {}, .headers = {}, .timestamp = {}}));
  ASSERT_TRUE(builder_.replace(
      all[1],
      {.key = FieldEdit::null(), .value = FieldEdit::null(), .headers = {}, .timestamp = {}}));
  ASSERT_TRUE(builder_.replace(
      all[2], {.key = {}, .value = FieldEdit::set(Bytes{}), .headers = headers, .timestamp = {}}));
  ASSERT_TRUE(builder_.replace(all[4], {.key = {},
                                        .value = {},
                                        .headers = std::span<const HeaderView>{},
                                        .timestamp = 1900000000000}));
  records_[0].key = "one two";
  records_[1].key = records_[1].value = std::nullopt;
  records_[2].value = "";
  records_[2].headers = {{"h", std::nullopt}, {"", "v"}};
  records_[4].headers.clear();
  records_[4].timestamp = 1900000000000;
  EXPECT_EQ(rebuilt(), records_);
  EXPECT_EQ(reader_.header().max_timestamp, 1900000000000);
  EXPECT_EQ(reader_.header().base_timestamp, original_reader_.header().base_timestamp);
}

TEST_F(BatchBuilderTest, ALowerTimestampLowersTheMaximum) {
  given(Codec::kNone, 20);
  const auto latest = std::ranges::max_element(records_, {}, &OwnedRecord::timestamp);
  const auto at = static_cast<std::size_t>(latest - records_.begin());
  builder_.edit(original_reader_);
  ASSERT_TRUE(builder_.replace(originals()[at],
                               {.key = {}, .value = {}, .headers = {}, .timestamp = 1000}));
  records_[at].timestamp = 1000;
  EXPECT_EQ(rebuilt(), records_);
  EXPECT_EQ(reader_.header().max_timestamp,
            std::ranges::max_element(records_, {}, &OwnedRecord::timestamp)->timestamp);
}

TEST_F(BatchBuilderTest, LeavesHolesForFetch) {
  for (int codec = 0; codec < 5; ++codec) {
    given(static_cast<Codec>(codec), 9, {.base_offset = 100});
    builder_.edit(original_reader_);
    const std::vector<Record> all = originals();
    for (const std::size_t i : {0u, 4u, 8u}) {
      ASSERT_TRUE(builder_.drop(all[i]));
    }
    EXPECT_EQ(rebuilt().size(), 6u);
    EXPECT_EQ(reader_.header().base_offset, 100);
    EXPECT_EQ(reader_.header().last_offset_delta, 8);
    EXPECT_EQ(reader_.header().count, 6);
    std::vector<std::int64_t> offsets;
    RecordIterator iterator = reader_.records();
    while (const Record* record = *iterator.next()) {
      offsets.push_back(record->offset);
    }
    EXPECT_EQ(offsets, (std::vector<std::int64_t>{101, 102, 103, 105, 106, 107}));
  }
}

TEST_F(BatchBuilderTest, ClosesUpForProduce) {
  for (int codec = 0; codec < 5; ++codec) {
    given(static_cast<Codec>(codec), 200);
    builder_.edit(original_reader_, Dropping::kCloseUp);
    const std::vector<Record> all = originals();
    for (const std::size_t i : {0u, 1u, 64u, 65u, 66u, 150u}) {
      ASSERT_TRUE(builder_.drop(all[i]));
    }
    std::vector<OwnedRecord> expected;
    for (std::size_t i = 0; i < records_.size(); ++i) {
      if (i > 1 && (i < 64 || i > 66) && i != 150) {
        expected.push_back(records_[i]);
      }
    }
    EXPECT_EQ(rebuilt(), expected);
    EXPECT_EQ(reader_.header().last_offset_delta, 193);
    RecordIterator iterator = reader_.records();
    while (const Record* record = *iterator.next()) {
      EXPECT_EQ(record->offset, record->index);
    }
  }
}

TEST_F(BatchBuilderTest, ABatchWithoutRecordsIsEmittedEmpty) {
  for (int codec = 0; codec < 5; ++codec) {
    given(static_cast<Codec>(codec), 3,
          {.base_offset = 40,
           .attributes = kDeleteHorizonBit,
           .producer_id = 5,
           .producer_epoch = 1,
           .base_sequence = 6});
    builder_.edit(original_reader_);
    for (const Record& record : originals()) {
      ASSERT_TRUE(builder_.drop(record));
    }
    EXPECT_TRUE(rebuilt().empty());
    EXPECT_EQ(builder_.batch().size(), kBatchHeaderBytes);
    EXPECT_EQ(reader_.header().codec(), Codec::kNone);
    EXPECT_EQ(reader_.header().attributes, 0);
    EXPECT_EQ(reader_.header().base_offset, 40);
    EXPECT_EQ(reader_.header().last_offset_delta, 2);
    EXPECT_EQ(reader_.header().base_sequence, 6);
    EXPECT_EQ(reader_.header().max_timestamp, original_reader_.header().max_timestamp);
    EXPECT_EQ(reader_.header().base_timestamp, -1);
  }
}

TEST_F(BatchBuilderTest, RefusesEditsOutOfOrder) {
  given(Codec::kNone, 5);
  const std::vector<Record> all = originals();
  const RecordEdit edit{.key = FieldEdit::null(), .value = {}, .headers = {}, .timestamp = {}};
  builder_.edit(original_reader_);
  ASSERT_TRUE(builder_.replace(all[2], edit));
  EXPECT_EQ(builder_.replace(all[2], edit).error().code, ErrorCode::kEditOutOfOrder);
  EXPECT_EQ(builder_.drop(all[0]).error().code, ErrorCode::kEditOutOfOrder);
  const std::string elsewhere = "not in the batch";
  Record foreign = all[3];
  foreign.encoded = as_bytes(elsewhere);
  EXPECT_EQ(builder_.replace(foreign, edit).error().code, ErrorCode::kEditOutOfOrder);
  EXPECT_TRUE(builder_.replace(all[4], edit));
}

TEST_F(BatchBuilderTest, RefusesTimestampsOfTheBroker) {
  given(Codec::kNone, 2, {.attributes = kLogAppendTimeBit, .max_timestamp = 1700000000000});
  builder_.edit(original_reader_);
  EXPECT_EQ(
      builder_.replace(originals()[0], {.key = {}, .value = {}, .headers = {}, .timestamp = 5})
          .error()
          .code,
      ErrorCode::kTimestampFixed);
}

TEST_F(BatchBuilderTest, ChangesTheCodec) {
  for (int from = 0; from < 5; ++from) {
    for (int to = 0; to < 5; ++to) {
      given(static_cast<Codec>(from), 50);
      builder_.edit(original_reader_, Dropping::kLeaveHole, static_cast<Codec>(to));
      EXPECT_EQ(builder_.changed(), from != to);
      EXPECT_EQ(rebuilt(), records_);
      EXPECT_EQ(reader_.header().codec(), static_cast<Codec>(to));
    }
  }
}

TEST_F(BatchBuilderTest, ReportsAnUnreadableRecordBehindAnEdit) {
  given(Codec::kNone, 5);
  const std::vector<Record> all = originals();
  const auto at = static_cast<std::size_t>(all[4].encoded.data() - as_bytes(original_).data());
  original_[at] = '\x7f';  // an impossible length
  ASSERT_TRUE(original_reader_.start(as_bytes(original_), CrcCheck::kSkip));
  ASSERT_TRUE(run_to_end(original_reader_));
  builder_.edit(original_reader_, Dropping::kCloseUp);
  ASSERT_TRUE(builder_.drop(all[0]));
  EXPECT_FALSE(run_to_end(builder_));
}

TEST_F(BatchBuilderTest, StaysInItsBudget) {
  given(Codec::kNone, 2000);
  for (const std::uint64_t limit : {0, 1000, 20000, 100000}) {
    MemoryBudget small(limit);
    BatchBuilder builder(pool_, small);
    builder.edit(original_reader_);
    auto done = builder.drop(originals()[1]);
    if (done) {
      done = run_to_end(builder);
    }
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kOutOfMemory);
    EXPECT_LE(small.peak(), limit);
  }
}

TEST_F(BatchBuilderTest, AllocatesNothingInSteadyState) {
  for (int codec = 0; codec < 5; ++codec) {
    given(static_cast<Codec>(codec), 1000);
    const std::vector<Record> all = originals();
    std::uint64_t used = 0;
    for (int turn = 0; turn < 20; ++turn) {
      builder_.edit(original_reader_);
      for (std::size_t i = 0; i < all.size(); i += 10) {
        ASSERT_TRUE(builder_.replace(
            all[i],
            {.key = {}, .value = FieldEdit::set(as_bytes("x")), .headers = {}, .timestamp = {}}));
      }
      ASSERT_TRUE(run_to_end(builder_));
      builder_.finish();
      if (turn == 1) {
        used = budget_.used();
      } else if (turn > 1) {
        ASSERT_EQ(budget_.used(), used);
      }
    }
  }
}

TEST_F(BatchBuilderTest, PausesWhileItCompresses) {
  for (int codec = 1; codec < 5; ++codec) {
    builder_.create({.attributes = static_cast<std::int16_t>(codec)});
    const std::string value = random_.bytes(1 << 20);
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(
          builder_.append({.timestamp = 1, .key = {}, .value = as_bytes(value), .headers = {}}));
    }
    int steps = 0;
    while (*builder_.step() == Progress::kMore) {
      ++steps;
    }
    EXPECT_GE(steps, 15);
  }
}

TEST_F(BatchBuilderTest, PausesWhileItWalksManyRecords) {
  builder_.create({});
  for (int i = 0; i < 200000; ++i) {
    ASSERT_TRUE(builder_.append({.timestamp = 1, .key = {}, .value = {}, .headers = {}}));
  }
  ASSERT_TRUE(run_to_end(builder_));
  original_ = as_text(builder_.batch());
  ASSERT_TRUE(original_reader_.start(as_bytes(original_)));
  ASSERT_TRUE(run_to_end(original_reader_));
  builder_.edit(original_reader_, Dropping::kCloseUp);
  RecordIterator iterator = original_reader_.records();
  ASSERT_TRUE(builder_.drop(**iterator.next()));
  std::size_t steps = 0;
  while (*builder_.step() == Progress::kMore) {
    ++steps;
  }
  EXPECT_GE(steps, 200000 / kRecordsPerStep);
  EXPECT_EQ(builder_.count(), 199999);
}

}  // namespace
}  // namespace grete::kafka::records
