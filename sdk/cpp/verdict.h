// What a filter decides about a message or a batch of records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kafka/lane/format.h"

namespace grete::sdk {

// docs/kafka-lane.md ("kafka.verdict") tells what each verdict does, and where it is allowed.
struct Verdict {
  kafka::lane::VerdictKind kind = kafka::lane::VerdictKind::kPass;
  // reject: an error code of Kafka; 0 is the usual one of the API.
  std::int16_t code = 0;
  // reject: for people, at most 1024 bytes; more is cut off.
  std::string message;
  // reject of records: which ones, as indexes in the batch, ascending.
  std::vector<std::uint32_t> records;
  // delay: at most 60,000.
  std::uint32_t delay_ms = 0;
  // replace and reply: the new body, or the answer's, in the api version of the call.
  std::vector<std::byte> body;

  // The message goes on, with the edits that were made.
  static Verdict pass() { return {}; }
  static Verdict reject(std::string message, std::int16_t code = 0) {
    Verdict verdict;
    verdict.kind = kafka::lane::VerdictKind::kReject;
    verdict.code = code;
    verdict.message = std::move(message);
    return verdict;
  }
  static Verdict replace(std::vector<std::byte> body) {
    Verdict verdict;
    verdict.kind = kafka::lane::VerdictKind::kReplace;
    verdict.body = std::move(body);
    return verdict;
  }
  static Verdict reply(std::vector<std::byte> body) {
    Verdict verdict;
    verdict.kind = kafka::lane::VerdictKind::kReply;
    verdict.body = std::move(body);
    return verdict;
  }
  static Verdict delay(std::uint32_t milliseconds) {
    Verdict verdict;
    verdict.kind = kafka::lane::VerdictKind::kDelay;
    verdict.delay_ms = milliseconds;
    return verdict;
  }
  static Verdict close() {
    Verdict verdict;
    verdict.kind = kafka::lane::VerdictKind::kClose;
    return verdict;
  }
};

}  // namespace grete::sdk
