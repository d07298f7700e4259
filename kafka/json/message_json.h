// Messages as JSON, in the format of Apache Kafka's own generated *DataJsonConverter classes (the
// one of its request logs and tools): fields in the order of the wire, under Kafka's names; those
// that the version lacks, and tagged fields with their default value, are left out; bytes are
// base64, uuids Kafka's 22 characters. Unknown tagged fields are not shown, as Kafka does not.
#pragma once

#include <cstdint>
#include <string>

#include "kafka/wire/reflection.h"

namespace grete::kafka::json {

struct Options {
  // What stands for a field of records.
  enum class Records : std::uint8_t {
    kSize,    // "recordsSizeInBytes": N, as in Kafka's request logs
    kBase64,  // "records": "..."; Kafka itself puts an empty string there
  };
  enum class Secrets : std::uint8_t {
    kShow,
    kHide,  // passwords, tokens, keys, values of configs: "(hidden)"
  };

  Records records = Records::kSize;
  Secrets secrets = Secrets::kShow;
};

// Appends `message`, the struct that `type` describes, as compact JSON.
void append_message(std::string& out, const StructInfo& type, ApiVersion version,
                    const void* message, const Options& options = {});

}  // namespace grete::kafka::json
