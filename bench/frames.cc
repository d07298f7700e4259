#include "bench/frames.h"

#include <vector>

#include "bench/batches.h"
#include "bench/wire.h"

namespace grete::bench {
namespace {

constexpr std::string_view kClientId = "grete-bench";
constexpr TopicId kSinkTopicId = {'g', 'r', 'e', 't', 'e', '-', 'b', 'e',
                                  'n', 'c', 'h', '-', 't', 'o', 'p', 'c'};
constexpr int kUnsupportedVersion = 35;

struct Versions {
  int key, min, max;
};
// What the sink speaks.
constexpr std::array<Versions, 4> kSinkVersions = {
    {{kProduce, 3, 12}, {kFetch, 4, 16}, {kMetadata, 0, 12}, {kApiVersions, 0, 3}}};

// The end of a request header of version 2.
Writer request_after_header() {
  Writer out;
  out.string(kClientId, false);
  out.tags(true);
  return out;
}

std::string api_versions_body(int version) {
  Writer out;
  const bool known = version <= 3;
  const bool flexible = known && version >= 3;
  out.i16(known ? 0 : kUnsupportedVersion);
  out.length(kSinkVersions.size(), flexible);
  for (const Versions& range : kSinkVersions) {
    out.i16(range.key);
    out.i16(range.min);
    out.i16(range.max);
    out.tags(flexible);
  }
  if (known && version >= 1) {
    out.i32(0);  // throttle time
  }
  out.tags(flexible);
  return out.take();
}

std::string metadata_body(int version, const Broker& broker) {
  const bool flexible = version >= 9;
  Writer out;
  out.tags(flexible);  // of the header
  if (version >= 3) {
    out.i32(0);  // throttle time
  }
  out.length(1, flexible);
  out.i32(broker.node_id);
  out.string(broker.host, flexible);
  out.i32(broker.port);
  if (version >= 1) {
    out.null_string(flexible);  // rack
  }
  out.tags(flexible);
  if (version >= 2) {
    out.string("grete-bench-sink", flexible);
  }
  if (version >= 1) {
    out.i32(broker.node_id);  // controller
  }
  out.length(1, flexible);
  out.i16(0);
  out.string(kTopic, flexible);
  if (version >= 10) {
    out.raw({kSinkTopicId.data(), kSinkTopicId.size()});
  }
  if (version >= 1) {
    out.i8(0);  // internal
  }
  out.length(1, flexible);
  out.i16(0);
  out.i32(0);
  out.i32(broker.node_id);  // leader
  if (version >= 7) {
    out.i32(-1);  // leader epoch
  }
  for (int list = 0; list < 2; ++list) {  // replicas, in-sync replicas
    out.length(1, flexible);
    out.i32(broker.node_id);
  }
  if (version >= 5) {
    out.length(0, flexible);  // offline replicas
  }
  out.tags(flexible);
  if (version >= 8) {
    out.i32(-2147483648LL);  // authorized operations of the topic: not asked for
  }
  out.tags(flexible);
  if (version >= 8 && version <= 10) {
    out.i32(-2147483648LL);
  }
  out.tags(flexible);
  return out.take();
}

std::string produce_body(int version) {
  const bool flexible = version >= 9;
  Writer out;
  out.tags(flexible);  // of the header
  out.length(1, flexible);
  out.string(kTopic, flexible);
  out.length(1, flexible);
  out.i32(0);   // partition
  out.i16(0);   // error
  out.i64(0);   // base offset
  out.i64(-1);  // log append time
  if (version >= 5) {
    out.i64(0);  // log start offset
  }
  if (version >= 8) {
    out.length(0, flexible);  // record errors
    out.null_string(flexible);
  }
  out.tags(flexible);
  out.tags(flexible);
  out.i32(0);  // throttle time
  out.tags(flexible);
  return out.take();
}

std::string fetch_body(int version, std::string_view records) {
  const bool flexible = version >= 12;
  Writer out;
  out.tags(flexible);  // of the header
  out.i32(0);          // throttle time
  if (version >= 7) {
    out.i16(0);
    out.i32(0);  // no session
  }
  out.length(1, flexible);
  if (version >= 13) {
    out.raw({kSinkTopicId.data(), kSinkTopicId.size()});
  } else {
    out.string(kTopic, flexible);
  }
  out.length(1, flexible);
  out.i32(0);        // partition
  out.i16(0);        // error
  out.i64(1 << 30);  // high watermark
  out.i64(1 << 30);  // last stable offset
  if (version >= 5) {
    out.i64(0);  // log start offset
  }
  out.length(0, flexible);  // aborted transactions
  if (version >= 11) {
    out.i32(-1);  // preferred read replica
  }
  out.length(records.size(), flexible);
  out.raw(records);
  out.tags(flexible);
  out.tags(flexible);
  out.tags(flexible);
  return out.take();
}

}  // namespace

std::array<char, Request::kPrefixBytes> Request::prefix(std::int32_t correlation_id) const {
  Writer out;
  out.i32(static_cast<std::int64_t>(frame_bytes() - 4));
  out.i16(key);
  out.i16(version);
  out.i32(correlation_id);
  std::array<char, kPrefixBytes> bytes{};
  out.take().copy(bytes.data(), bytes.size());
  return bytes;
}

std::string Request::whole(std::int32_t correlation_id) const {
  const auto start = prefix(correlation_id);
  return std::string(start.data(), start.size()) + rest;
}

Request api_versions_request() {
  Writer out = request_after_header();
  out.string("grete-bench", true);
  out.string("1", true);
  out.tags(true);
  return {kApiVersions, kApiVersionsVersion, out.take()};
}

Request metadata_request() {
  Writer out = request_after_header();
  out.length(1, true);
  out.raw(std::string(16, '\0'));  // by name, not by id
  out.string(kTopic, true);
  out.tags(true);
  out.i8(1);  // create the topic if it is missing
  out.i8(0);  // authorized operations: no
  out.tags(true);
  return {kMetadata, kMetadataVersion, out.take()};
}

Request produce_request(std::string_view batch) {
  Writer out = request_after_header();
  out.null_string(true);  // transactional id
  out.i16(1);             // acks
  out.i32(10'000);        // timeout, ms
  out.length(1, true);
  out.string(kTopic, true);
  out.length(1, true);
  out.i32(0);  // partition
  out.length(batch.size(), true);
  out.raw(batch);
  out.tags(true);
  out.tags(true);
  out.tags(true);
  return {kProduce, kProduceVersion, out.take()};
}

Request fetch_request(const TopicId& topic, std::int32_t max_bytes) {
  Writer out = request_after_header();
  out.i32(500);  // wait at most, ms
  out.i32(1);    // for at least this many bytes
  out.i32(max_bytes);
  out.i8(0);    // isolation: read uncommitted
  out.i32(0);   // session
  out.i32(-1);  // session epoch: none
  out.length(1, true);
  out.raw({topic.data(), topic.size()});
  out.length(1, true);
  out.i32(0);   // partition
  out.i32(-1);  // current leader epoch
  out.i64(0);   // offset
  out.i32(-1);  // last fetched epoch
  out.i64(-1);  // log start offset
  out.i32(max_bytes);
  out.tags(true);
  out.tags(true);
  out.length(0, true);  // forgotten topics
  out.string("", true);
  out.tags(true);
  return {kFetch, kFetchVersion, out.take()};
}

std::optional<Leader> find_leader(std::string_view body) {
  struct Node {
    std::int32_t id;
    std::string_view host;
    int port;
  };
  Reader in(body);
  in.tags();  // of the header
  in.i32();   // throttle time
  std::vector<Node> nodes;
  for (std::size_t left = in.length(); left > 0 && in.ok(); --left) {
    const std::int32_t id = in.i32();
    const std::string_view host = in.string();
    nodes.push_back({id, host, in.i32()});
    in.string();  // rack
    in.tags();
  }
  in.string();  // cluster id
  in.i32();     // controller
  if (in.length() != 1 || in.i16() != 0 || in.string() != kTopic) {
    return std::nullopt;
  }
  Leader leader;
  in.raw(16).copy(leader.topic.data(), leader.topic.size());
  in.i8();  // internal
  for (std::size_t left = in.length(); left > 0 && in.ok(); --left) {
    const int error = in.i16();
    const std::int32_t partition = in.i32();
    const std::int32_t leader_id = in.i32();
    in.i32();                               // leader epoch
    for (int list = 0; list < 3; ++list) {  // replicas: all, in sync, offline
      in.raw(in.length() * 4);
    }
    in.tags();
    for (const Node& node : nodes) {
      if (in.ok() && error == 0 && partition == 0 && node.id == leader_id) {
        leader.host = node.host;
        leader.port = node.port;
        return leader;
      }
    }
  }
  return std::nullopt;
}

int response_error(int key, std::string_view head) {
  Reader in(head);
  in.tags();  // of the header
  if (key == kFetch) {
    in.i32();  // throttle time
    if (const int error = in.i16(); error != 0) {
      return error;
    }
    in.i32();  // session
  }
  if (in.length() != 1) {
    return -1;
  }
  key == kFetch ? in.raw(16) : in.string();  // topic
  in.length();
  in.i32();  // partition
  const int error = in.i16();
  return in.ok() ? error : -1;
}

std::array<char, Response::kPrefixBytes> Response::prefix(std::int32_t correlation_id) const {
  Writer out;
  out.i32(static_cast<std::int64_t>(frame_bytes() - 4));
  out.i32(correlation_id);
  std::array<char, kPrefixBytes> bytes{};
  out.take().copy(bytes.data(), bytes.size());
  return bytes;
}

std::optional<Response> canned_response(int key, int version, const Broker& broker,
                                        std::string_view records) {
  if (key == kApiVersions) {
    return Response{api_versions_body(version)};
  }
  for (const Versions& range : kSinkVersions) {
    if (range.key == key && version >= range.min && version <= range.max) {
      return Response{key == kProduce    ? produce_body(version)
                      : key == kMetadata ? metadata_body(version, broker)
                                         : fetch_body(version, records)};
    }
  }
  return std::nullopt;
}

std::string make_fetch_records(std::int64_t timestamp_ms) {
  constexpr int kBatches = 16;
  constexpr int kRecords = 63;  // with keys and framing just under 64 KiB
  std::string records;
  for (int i = 0; i < kBatches; ++i) {
    records += make_batch({.records = kRecords,
                           .seed = static_cast<std::uint32_t>(i + 1),
                           .base_offset = i * kRecords,
                           .timestamp_ms = timestamp_ms});
  }
  return records;
}

}  // namespace grete::bench
