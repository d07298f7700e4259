// What the bench measures with must itself be right.
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <lz4frame.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/batches.h"
#include "bench/frames.h"
#include "bench/histogram.h"
#include "bench/sockets.h"
#include "bench/wire.h"

namespace grete::bench {
namespace {

TEST(Crc32c, GivesTheValueOfTheStandard) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);  // RFC 3720, B.4
}

TEST(Histogram, GivesQuantilesToWithinOnePercent) {
  Histogram histogram;
  for (std::uint64_t i = 1; i <= 100'000; ++i) {
    histogram.record(i * 1000);
  }
  EXPECT_EQ(histogram.total(), 100'000u);
  EXPECT_NEAR(static_cast<double>(histogram.at(0.5)), 50e6, 0.5e6);
  EXPECT_NEAR(static_cast<double>(histogram.at(0.99)), 99e6, 1e6);
}

TEST(Histogram, IsExactForSmallValuesAndTakesTheLargest) {
  Histogram histogram;
  histogram.record(0);
  histogram.record(255);
  EXPECT_EQ(histogram.at(0.5), 0u);
  EXPECT_EQ(histogram.at(1), 255u);
  histogram.record(~std::uint64_t{0});
  EXPECT_EQ(histogram.at(1), ~std::uint64_t{0});
  EXPECT_EQ(Histogram().at(0.5), 0u);
}

TEST(Event, HasExactlyTheSizeAskedFor) {
  std::uint32_t seed = 7;
  for (const int bytes : {256, 1000, 1024, 5000}) {
    const std::string event = make_event(seed, bytes, 0);
    EXPECT_EQ(event.size(), static_cast<std::size_t>(bytes));
    EXPECT_NE(event.find("@example.com"), std::string::npos);
    EXPECT_TRUE(event.starts_with("{") && event.ends_with("}"));
  }
}

TEST(Batch, Lz4HoldsTheSameRecordsAsNone) {
  const std::string plain = make_batch({.records = 16, .seed = 3});
  const std::string packed = make_batch({.records = 16, .codec = Codec::kLz4, .seed = 3});
  constexpr std::size_t kHeader = 61;
  EXPECT_LT(packed.size(), plain.size());
  std::string unpacked(plain.size() - kHeader, '\0');
  LZ4F_dctx* context = nullptr;
  ASSERT_FALSE(LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)));
  std::size_t out = unpacked.size();
  std::size_t in = packed.size() - kHeader;
  EXPECT_EQ(LZ4F_decompress(context, unpacked.data(), &out, packed.data() + kHeader, &in, nullptr),
            0u);
  LZ4F_freeDecompressionContext(context);
  EXPECT_EQ(unpacked, plain.substr(kHeader));
}

TEST(Frames, SinkAnswersWhatTheGeneratorAsks) {
  const Broker broker{.node_id = 3, .host = "127.0.0.1", .port = 21399};
  const auto answer = [&](int key, int version, std::string_view records) {
    return canned_response(key, version, broker, records).value_or(Response()).rest;
  };
  const Leader leader = find_leader(answer(kMetadata, kMetadataVersion, "")).value_or(Leader());
  EXPECT_EQ(leader.host, "127.0.0.1");
  EXPECT_EQ(leader.port, 21399);
  EXPECT_EQ(response_error(kProduce, answer(kProduce, kProduceVersion, "")), 0);
  const std::string fetch = answer(kFetch, kFetchVersion, make_fetch_records(1));
  EXPECT_EQ(response_error(kFetch, std::string_view(fetch).substr(0, 80)), 0);
  EXPECT_FALSE(canned_response(kFetch, 99, broker, ""));
}

TEST(Frames, ErrorsInAnswersAreSeen) {
  const Broker broker;
  std::string produce =
      canned_response(kProduce, kProduceVersion, broker, "").value_or(Response()).rest;
  // Header tags, topics, name of five bytes, partitions, partition.
  produce[1 + 1 + 6 + 1 + 4 + 1] = 87;
  EXPECT_EQ(response_error(kProduce, produce), 87);
  EXPECT_EQ(response_error(kProduce, produce.substr(0, 10)), -1);
  EXPECT_FALSE(find_leader("no metadata at all"));
}

// The same bytes in pieces of every size give the same frames.
TEST(FrameSkimmer, FindsFramesHoweverTheyArrive) {
  Writer stream;
  std::vector<std::size_t> sizes = {0, 3, 8, 124, 125, 4092, 4096, 20'000, 70'000, 5};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    stream.i32(static_cast<std::int64_t>(sizes[i]));
    stream.raw(std::string(sizes[i], static_cast<char>('a' + i)));
  }
  const std::string bytes = stream.take();
  const Fd listener = listen_on({"127.0.0.1", 0});
  sockaddr_in address{};
  socklen_t length = sizeof address;
  getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length);
  for (const std::size_t piece :
       {std::size_t{1}, std::size_t{7}, std::size_t{4096}, bytes.size()}) {
    const Fd near = connect_to({"127.0.0.1", ntohs(address.sin_port)});
    const Fd far(accept(listener.get(), nullptr, nullptr));
    ASSERT_GE(far.get(), 0);
    FrameSkimmer skimmer;
    std::vector<std::string> heads;
    for (std::size_t at = 0; at < bytes.size();) {
      const ssize_t sent =
          send(near.get(), bytes.data() + at, std::min(piece, bytes.size() - at), MSG_DONTWAIT);
      at += sent > 0 ? static_cast<std::size_t>(sent) : 0;
      EXPECT_EQ(skimmer.read(far.get(), [&](std::string_view head) { heads.emplace_back(head); }),
                Io::kBlocked);
    }
    // What is sent last may still be on its way to the receiving socket.
    for (int i = 0; i < 1000 && heads.size() < sizes.size(); ++i) {
      usleep(1000);
      skimmer.read(far.get(), [&](std::string_view head) { heads.emplace_back(head); });
    }
    ASSERT_EQ(heads.size(), sizes.size()) << "pieces of " << piece;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const std::size_t kept = std::min(sizes[i], FrameSkimmer::kHeadBytes - 4);
      EXPECT_EQ(heads[i], std::string(kept, static_cast<char>('a' + i)));
    }
  }
}

}  // namespace
}  // namespace grete::bench
