// Decoding and encoding of five messages, as measured for other libraries in docs/performance.md.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/arena.h"
#include "kafka/messages/api_versions_response.h"
#include "kafka/messages/fetch_response.h"
#include "kafka/messages/join_group_request.h"
#include "kafka/messages/metadata_response.h"
#include "kafka/messages/produce_request.h"

namespace grete::kafka {
namespace {

// Values that a message of the bench refers to; lives until the program ends.
struct Store {
  MemoryBudget budget{std::uint64_t{1} << 30};
  Arena arena{budget};

  template <class T>
  Array<T> array(std::uint32_t count) {
    return arena.make_array<T>(count);
  }
  std::string_view text(const std::string& from) {
    Array<char> copy = array<char>(static_cast<std::uint32_t>(from.size()));
    std::copy(from.begin(), from.end(), copy.begin());
    return {copy.items, copy.count};
  }
  Bytes blob(std::uint32_t size) {
    Array<std::byte> bytes = array<std::byte>(size);
    return {bytes.items, bytes.count};
  }
  Array<std::int32_t> integers(std::initializer_list<std::int32_t> values) {
    Array<std::int32_t> to = array<std::int32_t>(static_cast<std::uint32_t>(values.size()));
    std::copy(values.begin(), values.end(), to.begin());
    return to;
  }
};

Store& store() {
  static auto* const kStore = new Store;
  return *kStore;
}

// 100 topics of 12 partitions, three replicas each; about 55 KB.
MetadataResponse metadata() {
  MetadataResponse response;
  response.brokers = store().array<MetadataResponse::MetadataResponseBroker>(3);
  for (std::uint32_t i = 0; i < 3; ++i) {
    response.brokers[i].node_id = static_cast<std::int32_t>(i);
    response.brokers[i].host = "broker.example.com";
    response.brokers[i].port = 9092;
  }
  response.topics = store().array<MetadataResponse::MetadataResponseTopic>(100);
  for (std::uint32_t i = 0; i < 100; ++i) {
    auto& topic = response.topics[i];
    topic.name = store().text("a-topic-of-usual-length-" + std::to_string(i));
    topic.topic_id.bytes[15] = static_cast<std::byte>(i);
    topic.partitions = store().array<MetadataResponse::MetadataResponsePartition>(12);
    for (std::uint32_t p = 0; p < 12; ++p) {
      topic.partitions[p].partition_index = static_cast<std::int32_t>(p);
      topic.partitions[p].leader_epoch = 5;
      topic.partitions[p].replica_nodes = store().integers({0, 1, 2});
      topic.partitions[p].isr_nodes = store().integers({0, 1, 2});
    }
  }
  return response;
}

ProduceRequest produce() {
  ProduceRequest request;
  request.acks = -1;
  request.topic_data = store().array<ProduceRequest::TopicProduceData>(1);
  request.topic_data[0].name = "events";
  request.topic_data[0].partition_data = store().array<ProduceRequest::PartitionProduceData>(3);
  for (std::uint32_t i = 0; i < 3; ++i) {
    request.topic_data[0].partition_data[i].index = static_cast<std::int32_t>(i);
    request.topic_data[0].partition_data[i].records = store().blob(16 << 10);
  }
  return request;
}

FetchResponse fetch() {
  FetchResponse response;
  response.responses = store().array<FetchResponse::FetchableTopicResponse>(1);
  response.responses[0].partitions = store().array<FetchResponse::PartitionData>(100);
  for (std::uint32_t i = 0; i < 100; ++i) {
    response.responses[0].partitions[i].partition_index = static_cast<std::int32_t>(i);
    response.responses[0].partitions[i].aborted_transactions = kNull;
    response.responses[0].partitions[i].records = store().blob(4 << 10);
  }
  return response;
}

ApiVersionsResponse api_versions() {
  ApiVersionsResponse response;
  response.api_keys = store().array<ApiVersionsResponse::ApiVersion>(60);
  for (std::uint32_t i = 0; i < 60; ++i) {
    response.api_keys[i].api_key = static_cast<std::int16_t>(i);
    response.api_keys[i].max_version = 9;
  }
  return response;
}

JoinGroupRequest join_group() {
  JoinGroupRequest request;
  request.group_id = "a-consumer-group";
  request.session_timeout_ms = 45000;
  request.rebalance_timeout_ms = 300000;
  request.member_id = "consumer-1-5f0c64b2-5c7f-4f1e-8f2b-2a1f7d8e9a00";
  request.protocol_type = "consumer";
  request.protocols = store().array<JoinGroupRequest::JoinGroupRequestProtocol>(2);
  request.protocols[0].name = "range";
  request.protocols[0].metadata = store().blob(64);
  request.protocols[1].name = "cooperative-sticky";
  request.protocols[1].metadata = store().blob(68);
  return request;
}

template <class M>
std::vector<std::byte> bytes_of(const M& message, ApiVersion version) {
  MemoryBudget budget(std::uint64_t{1} << 24);
  Arena arena(budget);
  Writer writer(arena);
  if (!encode(writer, version, message)) {
    std::abort();
  }
  std::vector<std::byte> bytes(writer.size());
  writer.copy_to(bytes.data());
  return bytes;
}

template <auto kMake, std::int16_t kVersion>
void decode_message(benchmark::State& state) {
  auto message = kMake();
  const auto bytes = bytes_of(message, ApiVersion{kVersion});
  MemoryBudget budget(std::uint64_t{1} << 24);
  Arena arena(budget);
  for (auto _ : state) {
    Reader reader(bytes, arena);
    benchmark::DoNotOptimize(decode(reader, ApiVersion{kVersion}, message));
    benchmark::DoNotOptimize(message);
    arena.reset();
  }
  state.counters["bytes"] = static_cast<double>(bytes.size());
}

template <auto kMake, std::int16_t kVersion>
void encode_message(benchmark::State& state) {
  const auto message = kMake();
  MemoryBudget budget(std::uint64_t{1} << 24);
  Arena arena(budget);
  for (auto _ : state) {
    Writer writer(arena);
    benchmark::DoNotOptimize(encode(writer, ApiVersion{kVersion}, message));
    benchmark::DoNotOptimize(writer.pieces());
    arena.reset();
  }
}

BENCHMARK(decode_message<metadata, 12>)->Name("decode/Metadata response v12");
BENCHMARK(encode_message<metadata, 12>)->Name("encode/Metadata response v12");
BENCHMARK(decode_message<produce, 11>)->Name("decode/Produce request v11");
BENCHMARK(encode_message<produce, 11>)->Name("encode/Produce request v11");
BENCHMARK(decode_message<fetch, 13>)->Name("decode/Fetch response v13");
BENCHMARK(encode_message<fetch, 13>)->Name("encode/Fetch response v13");
BENCHMARK(decode_message<api_versions, 3>)->Name("decode/ApiVersions response v3");
BENCHMARK(encode_message<api_versions, 3>)->Name("encode/ApiVersions response v3");
BENCHMARK(decode_message<join_group, 9>)->Name("decode/JoinGroup request v9");
BENCHMARK(encode_message<join_group, 9>)->Name("encode/JoinGroup request v9");

}  // namespace
}  // namespace grete::kafka
