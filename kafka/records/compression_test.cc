#include "kafka/records/compression.h"

#include <gtest/gtest.h>
#include <snappy.h>

#include "kafka/records/limits.h"
#include "kafka/records/random_batch.h"

namespace grete::kafka::records {
namespace {

constexpr std::array kAllCodecs = {Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd};

class Compression : public testing::TestWithParam<Codec> {
 protected:
  std::string compress(const std::string& plain, Lz4Header header = Lz4Header::kStandard) {
    Compressor compressor(pool_);
    ByteBuffer out(budget_);
    compressor.start(GetParam(), as_bytes(plain), header);
    while (true) {
      const auto progress = compressor.step(out);
      EXPECT_TRUE(progress);
      if (!progress || *progress == Progress::kDone) {
        return std::string(as_text(out.bytes()));
      }
    }
  }

  Result<std::string, Error> decompress(std::string_view compressed, std::uint64_t limit = 1 << 30,
                                        Lz4Header header = Lz4Header::kStandard) {
    return decompress(GetParam(), compressed, limit, header);
  }

  Result<std::string, Error> decompress(Codec codec, std::string_view compressed,
                                        std::uint64_t limit = 1 << 30,
                                        Lz4Header header = Lz4Header::kStandard) {
    Decompressor decompressor(pool_);
    ByteBuffer out(budget_);
    decompressor.start(codec, as_bytes(compressed), limit, header);
    steps_ = 0;
    largest_step_ = 0;
    while (true) {
      const std::size_t before = out.size();
      GRETE_TRY_ASSIGN(const Progress progress, decompressor.step(out));
      ++steps_;
      largest_step_ = std::max(largest_step_, out.size() - before);
      if (progress == Progress::kDone) {
        return std::string(as_text(out.bytes()));
      }
    }
  }

  ErrorCode error_of(std::string_view compressed, std::uint64_t limit = 1 << 30) {
    const auto result = decompress(compressed, limit);
    return result ? ErrorCode::kMayNotDrop : result.error().code;
  }

  MemoryBudget budget_{256 << 20};
  CodecPool pool_{budget_};
  RandomRecords random_{test_seed()};
  std::size_t steps_ = 0;
  std::size_t largest_step_ = 0;
};

TEST_P(Compression, RoundTripsEverySize) {
  for (int turn = 0; turn < 200; ++turn) {
    const std::string plain = random_.bytes(turn < 20 ? static_cast<std::size_t>(turn)
                                                      : random_.below(turn < 180 ? 3000 : 400000));
    const auto back = decompress(compress(plain));
    ASSERT_TRUE(back) << describe(back.error().code) << " " << plain.size();
    ASSERT_EQ(*back, plain);
  }
}

TEST_P(Compression, PausesOften) {
  const std::string plain = random_.bytes(5 << 20);
  const std::string compressed = compress(plain);
  ASSERT_EQ(*decompress(compressed), plain);
  EXPECT_GE(steps_, 20u);
  EXPECT_LE(largest_step_, kStepBytes + 64);
}

TEST_P(Compression, ObeysTheLimitToTheByte) {
  const std::string plain = random_.bytes(70000) + std::string(600000, 'a');
  const std::string compressed = compress(plain);
  EXPECT_EQ(decompress(compressed, plain.size())->size(), plain.size());
  for (const std::size_t limit :
       {plain.size() - 1, std::size_t{300000}, std::size_t{1}, std::size_t{0}}) {
    EXPECT_EQ(error_of(compressed, limit), ErrorCode::kDecompressedTooBig) << limit;
  }
}

TEST_P(Compression, RefusesWhatIsCutShort) {
  const std::string compressed = compress(random_.bytes(3000));
  for (std::size_t size = 0; size < compressed.size(); ++size) {
    const auto result = decompress(std::string_view(compressed).substr(0, size));
    // The framing of snappy-java has no end mark: chunks may just stop.
    if (!(GetParam() == Codec::kSnappy && result && result->empty())) {
      ASSERT_FALSE(result) << size;
    }
  }
}

TEST_P(Compression, SurvivesFlippedBits) {
  const std::string compressed = compress(random_.bytes(20000));
  for (int turn = 0; turn < 2000; ++turn) {
    std::string damaged = compressed;
    for (std::size_t flips = 1 + random_.below(3); flips > 0; --flips) {
      char& byte = damaged[random_.below(damaged.size())];
      byte = static_cast<char>(byte ^ (1 << random_.below(8)));
    }
    const auto result = decompress(damaged, 1 << 20);
    ASSERT_LE(result ? result->size() : 0, std::size_t{1} << 20);
  }
}

TEST_P(Compression, StaysInItsBudget) {
  const std::string plain(4 << 20, 'x');
  const std::string compressed = compress(plain);
  for (const std::uint64_t limit : {0, 100, 10000, 200000, 2000000}) {
    MemoryBudget small(limit);
    CodecPool pool(small);
    ByteBuffer out(small);
    Decompressor decompressor(pool);
    decompressor.start(GetParam(), as_bytes(compressed), 1 << 30);
    Result<Progress, Error> progress = Progress::kMore;
    while (progress && *progress == Progress::kMore) {
      progress = decompressor.step(out);
    }
    ASSERT_FALSE(progress);
    EXPECT_EQ(progress.error().code, ErrorCode::kOutOfMemory) << limit;
    EXPECT_LE(small.peak(), limit);
  }
}

TEST_P(Compression, ReusesItsContexts) {
  const std::string plain = random_.bytes(10000);
  compress(plain);
  const std::uint64_t idle = budget_.used();
  for (int turn = 0; turn < 50; ++turn) {
    ASSERT_EQ(*decompress(compress(plain)), plain);
  }
  const std::uint64_t both = budget_.used();
  ASSERT_EQ(*decompress(compress(plain)), plain);
  EXPECT_EQ(budget_.used(), both);
  EXPECT_GE(both, idle);
  pool_.trim();
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_P(Compression, LetsTwoStreamsRunAtOnce) {
  const std::string one = random_.bytes(1 << 20);
  const std::string two = random_.bytes(1 << 20);
  const std::string one_compressed = compress(one);
  const std::string two_compressed = compress(two);
  Decompressor first(pool_);
  Decompressor second(pool_);
  ByteBuffer first_out(budget_);
  ByteBuffer second_out(budget_);
  first.start(GetParam(), as_bytes(one_compressed), 1 << 30);
  second.start(GetParam(), as_bytes(two_compressed), 1 << 30);
  Progress first_progress = Progress::kMore;
  Progress second_progress = Progress::kMore;
  while (first_progress == Progress::kMore || second_progress == Progress::kMore) {
    if (first_progress == Progress::kMore) {
      first_progress = *first.step(first_out);
    }
    if (second_progress == Progress::kMore) {
      second_progress = *second.step(second_out);
    }
  }
  EXPECT_EQ(as_text(first_out.bytes()), one);
  EXPECT_EQ(as_text(second_out.bytes()), two);
}

INSTANTIATE_TEST_SUITE_P(Codecs, Compression, testing::ValuesIn(kAllCodecs),
                         [](const auto& parameter) {
                           return std::string(codec_name(parameter.param));
                         });

class Snappy : public Compression {};
INSTANTIATE_TEST_SUITE_P(Raw, Snappy, testing::Values(Codec::kSnappy));

TEST_P(Snappy, ReadsARawBlockOfAnySize) {
  for (const std::size_t size : {1u, 15u, 1000u, 300000u, 3000000u}) {
    const std::string plain =
        random_.bytes(size) + std::string(size / 3, 'z') + random_.bytes(size);
    std::string block;
    snappy::Compress(plain.data(), plain.size(), &block);
    const auto back = decompress(block);
    ASSERT_TRUE(back) << describe(back.error().code) << " " << size;
    ASSERT_EQ(*back, plain);
    EXPECT_LE(largest_step_, kStepBytes + 64);
  }
}

TEST_P(Snappy, ReadsRepeatedFramingHeaders) {
  const std::string one = compress("first, ");
  const std::string two = compress("second");
  EXPECT_EQ(*decompress(one + two), "first, second");
}

TEST_P(Snappy, RefusesCopiesFromBeforeTheBlock) {
  // Length 8, a literal of four bytes, then a copy of four from five bytes back.
  const std::string block(
      "\x08\x0c"
      "abcd"
      "\x01\x05",
      8);
  EXPECT_EQ(error_of(block), ErrorCode::kCorruptStream);
  const std::string good(
      "\x08\x0c"
      "abcd"
      "\x01\x04",
      8);
  EXPECT_EQ(*decompress(good), "abcdabcd");
  // The same within a second chunk: the first is not a dictionary for it.
  std::string framed = compress("12345678");
  framed += std::string("\0\0\0\x08", 4) + block;
  EXPECT_EQ(error_of(framed), ErrorCode::kCorruptStream);
}

TEST_P(Snappy, AgreesWithTheLibraryOnDamagedBlocks) {
  const std::string plain = random_.bytes(2000);
  std::string block;
  snappy::Compress(plain.data(), plain.size(), &block);
  for (int turn = 0; turn < 5000; ++turn) {
    std::string damaged = block;
    damaged[random_.below(damaged.size())] = static_cast<char>(random_.below(256));
    std::string theirs;
    std::size_t size = 0;
    if (snappy::GetUncompressedLength(damaged.data(), damaged.size(), &size) && size > 1 << 20) {
      continue;
    }
    const bool valid = snappy::Uncompress(damaged.data(), damaged.size(), &theirs);
    const auto ours = decompress(damaged);
    ASSERT_EQ(ours.has_value(), valid);
    if (valid) {
      ASSERT_EQ(*ours, theirs);
    }
  }
}

class Lz4 : public Compression {};
INSTANTIATE_TEST_SUITE_P(Frames, Lz4, testing::Values(Codec::kLz4));

// Both headers as Kafka's own Lz4BlockOutputStream writes them.
TEST_P(Lz4, WritesTheHeadersOfKafka) {
  EXPECT_TRUE(compress("hello").starts_with("\x04\x22\x4d\x18\x60\x40\x82"));
  EXPECT_TRUE(compress("hello", Lz4Header::kMagic0).starts_with("\x04\x22\x4d\x18\x60\x40\x1a"));
}

TEST_P(Lz4, ReadsTheWrongHeaderChecksumInMagic0Only) {
  const std::string plain = random_.bytes(100000);
  const std::string wrong = compress(plain, Lz4Header::kMagic0);
  EXPECT_EQ(error_of(wrong), ErrorCode::kCorruptStream);
  EXPECT_EQ(*decompress(wrong, 1 << 30, Lz4Header::kMagic0), plain);
  EXPECT_EQ(*decompress(compress(plain), 1 << 30, Lz4Header::kMagic0), plain);
}

class Gzip : public Compression {};
INSTANTIATE_TEST_SUITE_P(Members, Gzip, testing::Values(Codec::kGzip));

TEST_P(Gzip, ReadsSeveralMembers) {
  EXPECT_EQ(*decompress(compress("first, ") + compress("second")), "first, second");
}

class Zstd : public Compression {};
INSTANTIATE_TEST_SUITE_P(Windows, Zstd, testing::Values(Codec::kZstd));

TEST_P(Zstd, ChargesTheWindowThatAFrameAsksFor) {
  // A frame header with a window of 128 MiB, then one raw block of one byte.
  const std::string frame("\x28\xb5\x2f\xfd\x00\x88\x09\x00\x00x", 10);
  EXPECT_EQ(*decompress(frame), "x");
  MemoryBudget small(16 << 20);
  CodecPool pool(small);
  ByteBuffer out(small);
  Decompressor decompressor(pool);
  decompressor.start(Codec::kZstd, as_bytes(frame), 100);
  const auto progress = decompressor.step(out);
  ASSERT_FALSE(progress);
  EXPECT_EQ(progress.error().code, ErrorCode::kOutOfMemory);
  // One step further than any Kafka level writes.
  const std::string wider("\x28\xb5\x2f\xfd\x00\x90\x09\x00\x00x", 10);
  EXPECT_EQ(error_of(wider), ErrorCode::kDecompressedTooBig);
}

}  // namespace
}  // namespace grete::kafka::records
