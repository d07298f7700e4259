// Everything that a peer can make large, and where it ends. Those that an operator may change are
// defaults of the configuration's `limits` section.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace grete::gateway {

using namespace std::chrono_literals;

// A frame's announced size, in bytes, without its length field. Checked before anything is
// allocated. Kafka's own default is socket.request.max.bytes = 100 MiB.
inline constexpr std::uint64_t kDefaultMaxFrame = 100u << 20;
// The smallest limit that lets clients work at all.
inline constexpr std::uint64_t kMinMaxFrame = 64u << 10;

// Bytes held for one connection: frames looked into, decoded messages, bytes a peer does not take.
inline constexpr std::uint64_t kDefaultConnectionMemory = 256u << 20;
// Bytes held for all connections; each worker gets an equal share.
inline constexpr std::uint64_t kDefaultProcessMemory = 1u << 30;
inline constexpr std::uint32_t kDefaultMaxConnections = 10'000;

// Requests of one connection whose replies are outstanding. Beyond it the client is not read.
inline constexpr std::uint32_t kDefaultMaxInFlight = 1'000;

// The first bytes of a request up to what routing needs: header, client id and, of a Produce,
// transactional id and acks. Two nullable strings of 32 KiB and some tags.
inline constexpr std::size_t kMaxRequestPrefix = 72u << 10;
// Tagged fields of a request header; Kafka defines none.
inline constexpr std::uint32_t kMaxHeaderTags = 64;
// A SaslHandshake or SaslAuthenticate, and a raw token; as sasl.server.max.receive.size.
inline constexpr std::uint64_t kMaxSaslFrame = 512u << 10;
// A client's name as shown in logs and handed to plug-ins.
inline constexpr std::size_t kMaxPrincipal = 1024;

// One read from a socket; a worker owns one buffer of this size.
inline constexpr std::size_t kReadSize = 256u << 10;
// Reads from one socket before others have their turn.
inline constexpr int kReadsPerTurn = 4;
// Below this much free memory a socket is not read.
inline constexpr std::size_t kMinReadSize = 4u << 10;

inline constexpr std::chrono::milliseconds kDefaultConnectTimeout = 5s;
// Longer than a broker's connections.max.idle.ms (10 min), so that the broker decides.
inline constexpr std::chrono::milliseconds kDefaultIdleTimeout = 15min;
inline constexpr std::chrono::milliseconds kDefaultDrainTimeout = 20s;
// How long a connection whose client has closed its half may wait for outstanding replies.
inline constexpr std::chrono::milliseconds kHalfCloseLinger = 10s;

// Ports of one listener's `broker_ports`.
inline constexpr std::uint32_t kMaxBrokerPorts = 2'048;
// Brokers remembered of one cluster.
inline constexpr std::size_t kMaxBrokers = 4'096;
// Topics remembered by id of one cluster.
inline constexpr std::size_t kMaxTopics = 200'000;
inline constexpr std::size_t kMaxConfigFile = 4u << 20;

// The admin port.
inline constexpr std::size_t kMaxAdminRequest = 8u << 10;
inline constexpr std::uint32_t kMaxAdminConnections = 32;
inline constexpr std::chrono::seconds kAdminTimeout = 10s;

}  // namespace grete::gateway
