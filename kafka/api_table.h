// What is known of each API key: its name, its versions, and which headers go with them.
//
// Versions are merged from Kafka 4.4 and 3.9, so that clients and brokers from 0.8 on are
// understood. Which of them a connection may use is the brokers' to say (ApiVersions).
#pragma once

#include <cstdint>
#include <span>

#include "kafka/api_keys.h"
#include "kafka/ids.h"
#include "kafka/wire/reflection.h"

namespace grete::kafka {

struct ApiInfo {
  ApiKey key;
  const char* name;       // "Produce"
  VersionRange versions;  // of request and response alike
  VersionRange flexible;  // empty if no version is
  bool on_broker;         // offered to clients by brokers
  bool on_controller;     // offered by KRaft controllers
};

// In the order of their keys, which leave gaps.
std::span<const ApiInfo> all_apis();

// Null if no message of that key exists in either line.
const ApiInfo* find_api(ApiKey key);

// "Produce"; "key 4711" is for the caller to say, this returns null then.
const char* api_name(ApiKey key);

// Whether requests and responses of (key, version) can be decoded.
bool is_known(ApiKey key, ApiVersion version);

// The version of the request's header: 2 if the version is flexible, else 1; ControlledShutdown v0
// has 0. For an unknown (key, version), 1: the part of it that every header has since 0.9.
ApiVersion request_header_version(ApiKey key, ApiVersion version);

// The version of the response's header: 1 if the version is flexible, else 0. The header of an
// ApiVersions response is always 0, since a client reads it before it knows the broker (KIP-511).
ApiVersion response_header_version(ApiKey key, ApiVersion version);

}  // namespace grete::kafka
