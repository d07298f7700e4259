// The PII filter: masks personal data and credentials in records, or rejects the batches that hold
// them. README.md is its configuration's reference.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "filters/pii/detectors.h"
#include "filters/pii/matchers.h"
#include "filters/pii/pattern.h"
#include "filters/pii/scanner.h"
#include "filters/pii/topics.h"
#include "sdk/cpp/filter.h"

namespace grete::filters::pii {

class PiiFilter final : public sdk::Filter {
 public:
  PiiFilter();

  void on_configure(sdk::Config& config, sdk::Subscriptions& subscribe) override;
  sdk::Verdict on_records(sdk::Records& records) override;

 private:
  enum class Action : std::uint8_t { kMask, kReject };

  // What is to be masked: bytes [begin, end) by `stars` stars.
  struct Span {
    std::uint32_t begin;
    std::uint32_t end;
    std::uint32_t stars;
  };

  void read_detectors(sdk::Config& config);
  void read_patterns(sdk::Config& config);
  void read_topics(sdk::Config& config);
  void read_fields(sdk::Config& config);

  // Finds what is to be masked in `text` and leaves it in spans_, ascending. False: nothing.
  bool look(std::string_view text);
  void merge_patterns(std::string_view text);
  // Masks, or only counts, what is in the field. Whether there was anything.
  bool treat(sdk::Records& records, const sdk::Record& record, sdk::Field field,
             std::optional<Bytes> bytes, std::size_t header = 0);
  bool treat(sdk::Records& records, const sdk::Record& record);
  Bytes stars(std::size_t count);
  void count_matches();

  std::optional<Scanner> scanner_;
  std::vector<Pattern> patterns_;
  TopicFilter topics_;
  bool keys_ = false;
  bool values_ = true;
  bool headers_ = true;
  Action action_ = Action::kMask;

  std::vector<Match> matches_;
  std::vector<Span> spans_;
  std::vector<ByteRange> ranges_;
  std::string stars_;
  // Matches since the last count_matches(), by detector; own patterns at the end.
  std::array<std::uint64_t, kDetectorCount + 1> found_{};
  std::array<sdk::Counter, kDetectorCount + 1> counters_{};
};

}  // namespace grete::filters::pii
