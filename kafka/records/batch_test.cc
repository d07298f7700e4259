#include <gtest/gtest.h>

#include "kafka/records/batch_builder.h"
#include "kafka/records/batch_reader.h"

namespace grete::kafka::records {
namespace {

TEST(Batch, RoundTripsThroughEveryCodec) {
  MemoryBudget budget(64 << 20);
  CodecPool pool(budget);
  for (const Codec codec :
       {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    BatchBuilder builder(pool, budget);
    builder.create({.attributes = static_cast<std::int16_t>(codec)});
    for (int i = 0; i < 1000; ++i) {
      const HeaderView header{.key = "k", .value = std::nullopt};
      ASSERT_TRUE(builder.append({.timestamp = 1000 + i,
                                  .key = std::nullopt,
                                  .value = as_bytes("hello, world"),
                                  .headers = {&header, 1}}));
    }
    while (*builder.step() == Progress::kMore) {
    }
    BatchReader reader(pool, budget);
    ASSERT_TRUE(reader.start(builder.batch()));
    while (*reader.step() == Progress::kMore) {
    }
    ASSERT_TRUE(reader.validate());
    EXPECT_EQ(reader.header().count, 1000);
    EXPECT_EQ(reader.header().max_timestamp, 1999);
  }
}

}  // namespace
}  // namespace grete::kafka::records
