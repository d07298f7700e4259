#include "kafka/records/crc32c.h"

#include <gtest/gtest.h>

#include "kafka/records/random_batch.h"

namespace grete::kafka::records {
namespace {

TEST(Crc32c, KnowsTheTestVectorsOfRfc3720) {
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283u);
  EXPECT_EQ(crc32c(as_bytes(std::string(32, '\0'))), 0x8a9136aau);
  EXPECT_EQ(crc32c(as_bytes(std::string(32, '\xff'))), 0x62a8ab43u);
  EXPECT_EQ(crc32c({}), 0u);
}

TEST(Crc32c, HardwareTablesAndPiecesAgree) {
  RandomRecords random(test_seed());
  const std::string bytes = random.bytes(100000);
  for (int turn = 0; turn < 300; ++turn) {
    const std::size_t from = random.below(100);
    const std::size_t size = random.below(turn % 2 == 0 ? 2000 : bytes.size() - from);
    const Bytes part = as_bytes(bytes).subspan(from, size);
    const std::uint32_t whole = crc32c(part);
    ASSERT_EQ(whole, crc32c_portable(part)) << size;
    const std::size_t cut = random.below(size + 1);
    ASSERT_EQ(whole, crc32c(part.subspan(cut), crc32c(part.first(cut)))) << size << " " << cut;
    ASSERT_EQ(whole, crc32c_portable(part.subspan(cut), crc32c_portable(part.first(cut))));
  }
}

}  // namespace
}  // namespace grete::kafka::records
