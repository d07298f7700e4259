// Compares the codec with what Apache Kafka's own classes wrote (MessageVectors.java): the bytes
// decode, print as the same JSON, encode to the same bytes, and no part of them decodes.
//
// usage: message_oracle LINE=FILE...     LINE is "4.4" or "3.9"
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "kafka/api_table.h"
#include "kafka/json/frame_json.h"
#include "kafka/json/message_json.h"
#include "kafka/messages.h"
// Reading JSON is for tools and tests, and not compiled to WebAssembly.
#ifndef __wasm__
#define GRETE_READS_JSON 1
#include "kafka/json/read_message.h"
#else
#define GRETE_READS_JSON 0
#endif

namespace {

using namespace grete;         // NOLINT: a program, not a header
using namespace grete::kafka;  // NOLINT

// Where the older line's descriptors say something else about versions that the newer one has too.
// The newer one wins, so these are compared less.
struct Difference {
  std::string_view message;
  int first;
  int last;
  enum class Compare : std::uint8_t { kBytes, kNothing } compare;
  std::string_view our_name;
  std::string_view why;
};
constexpr Difference kDifferences[] = {
    {"ListClientMetricsResourcesRequest", 0, 0, Difference::Compare::kBytes,
     "ListConfigResourcesRequest", "renamed, with its fields"},
    {"ListClientMetricsResourcesResponse", 0, 0, Difference::Compare::kBytes,
     "ListConfigResourcesResponse", "renamed, with its fields"},
    {"VoteRequest", 0, 1, Difference::Compare::kBytes, "VoteRequest", "fields renamed"},
    {"TxnOffsetCommitRequest", 3, 4, Difference::Compare::kBytes, "TxnOffsetCommitRequest",
     "a field renamed"},
    {"ReadShareGroupStateSummaryResponse", 0, 0, Difference::Compare::kNothing,
     "ReadShareGroupStateSummaryResponse", "unstable in 3.9, changed since"},
};

// All of a file. With C's functions, so that this also runs as WebAssembly, where there is no
// std::ifstream.
std::optional<std::string> contents(const std::string& file) {
  std::FILE* in = std::fopen(file.c_str(), "rb");
  if (in == nullptr) {
    return std::nullopt;
  }
  std::string text;
  std::vector<char> block(std::size_t{1} << 20);
  while (std::feof(in) == 0 && std::ferror(in) == 0) {
    text.append(block.data(), std::fread(block.data(), 1, block.size(), in));
  }
  std::fclose(in);
  return text;
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> parts;
  for (std::size_t tab = line.find('\t'); tab != std::string_view::npos && parts.size() < 4;
       tab = line.find('\t')) {
    parts.push_back(line.substr(0, tab));
    line.remove_prefix(tab + 1);
  }
  parts.push_back(line);
  return parts;
}

class Oracle {
 public:
  void run(std::string_view line_of_kafka, const std::string& file) {
    line_of_kafka_ = line_of_kafka;
    const std::optional<std::string> text = contents(file);
    if (!text) {
      fail(file + ": cannot be read");
      return;
    }
    std::set<std::pair<std::string, int>> seen;
    std::vector<std::pair<std::string, std::pair<int, int>>> promised;
    for (std::string_view rest = *text; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      const auto parts = split(line);
      if (parts[0] == "message" && parts.size() == 5) {
        const int version = std::stoi(std::string(parts[2]));
        check_message(parts[1], version, parts[3], parts[4]);
        seen.emplace(parts[1], version);
        ++instances_;
      } else if (parts[0] == "versions" && parts.size() == 4) {
        promised.push_back({std::string(parts[1]),
                            {std::stoi(std::string(parts[2])), std::stoi(std::string(parts[3]))}});
      } else if (parts[0] == "header" && parts.size() == 5) {
        check_header(parts);
      } else {
        fail("a line that is none: " + std::string(line.substr(0, 80)));
      }
    }
    for (const auto& [name, versions] : promised) {
      for (int v = versions.first; v <= versions.second; ++v) {
        if (!seen.contains({name, v})) {
          fail(name + " v" + std::to_string(v) + ": no instance");
        }
      }
    }
    std::printf("Kafka %s: %zu messages, %zu messages x versions, %zu header rules\n",
                std::string(line_of_kafka).c_str(), promised.size(), seen.size(), headers_);
    headers_ = 0;
  }

  // Every message and version of ours was compared with some line's.
  int finish() {
    std::size_t all = 0;
    std::size_t messages = 0;
    for (const MessageInfo* info : all_messages()) {
      ++messages;
      for (int v = info->type->versions.min; v <= info->type->versions.max; ++v, ++all) {
        if (!covered_.contains({info->name, v})) {
          fail(std::string(info->name) + " v" + std::to_string(v) + ": compared with no line's");
        }
      }
    }
    std::printf(
        "ours: %zu messages, %zu messages x versions, all compared; %zu instances, "
        "%zu of them read back from JSON to the same bytes; %zu differences\n",
        messages, all, instances_, read_alike_, failures_);
    const bool read_enough = GRETE_READS_JSON == 0 || read_alike_ > instances_ / 3;
    return failures_ == 0 && instances_ != 0 && read_enough ? 0 : 1;
  }

 private:
  void fail(const std::string& what) {
    if (++failures_ <= 20) {
      std::fprintf(stderr, "Kafka %s: %s\n", line_of_kafka_.c_str(), what.c_str());
    }
  }

  const Difference* difference(std::string_view name, int version) const {
    for (const Difference& each : kDifferences) {
      if (line_of_kafka_ == "3.9" && each.message == name && version >= each.first &&
          version <= each.last) {
        return &each;
      }
    }
    return nullptr;
  }

  void check_message(std::string_view name, int number, std::string_view hex,
                     std::string_view json) {
    const Difference* known = difference(name, number);
    if (known != nullptr && known->compare == Difference::Compare::kNothing) {
      return;
    }
    const std::string where = std::string(name) + " v" + std::to_string(number);
    const MessageInfo* info = find_message(known == nullptr ? name : known->our_name);
    const auto bytes = json::parse_hex(hex);
    if (info == nullptr || !bytes) {
      fail(where + (info == nullptr ? ": not generated" : ": not hex"));
      return;
    }
    const ApiVersion version{static_cast<std::int16_t>(number)};
    Reader reader(*bytes, arena_);
    const auto message = decode_any(reader, *info, version);
    if (!message) {
      fail(where + ": " + message.error().text() + "; hex " + std::string(hex.substr(0, 400)));
    } else if (reader.remaining() != 0) {
      fail(where + ": bytes are left");
    } else {
      compare(where, *info, version, message->value, *bytes, known == nullptr ? json : "");
    }
    arena_.reset();
    covered_.emplace(info->name, number);
    check_prefixes(where, *info, version, *bytes);
  }

  void compare(const std::string& where, const MessageInfo& info, ApiVersion version, void* value,
               std::span<const std::byte> bytes, std::string_view json) {
    text_.clear();
    json::append_message(text_, *info.type, version, value);
    if (!json.empty() && text_ != json) {
      fail(where + ":\n  ours   " + text_.substr(0, 1000) + "\n  theirs " +
           std::string(json.substr(0, 1000)));
    }
    Writer writer(arena_);
    const auto encoded = info.encode(writer, version, value);
    if (!encoded) {
      fail(where + ": " + encoded.error().text());
      return;
    }
    std::vector<std::byte> again(writer.size());
    writer.copy_to(again.data());
    if (!std::equal(again.begin(), again.end(), bytes.begin(), bytes.end())) {
      fail(where + ": other bytes for " + text_.substr(0, 300));
    }
    if (encoded_size(*info.type, version, value) != bytes.size()) {
      fail(where + ": another size for " + text_.substr(0, 300));
    }
#if GRETE_READS_JSON
    compare_read(where, info, version, value, bytes);
#endif
  }

#if GRETE_READS_JSON
  // What is printed reads back as the same message (without the unknown tags, which JSON lacks).
  void compare_read(const std::string& where, const MessageInfo& info, ApiVersion version,
                    void* value, std::span<const std::byte> bytes) {
    const json::Options options{.records = json::Options::Records::kBase64};
    text_.clear();
    json::append_message(text_, *info.type, version, value, options);
    const auto read = json::read_message(text_, info, version, arena_);
    if (!read) {
      fail(where + ": read from JSON: " + read.error().text);
      return;
    }
    Writer writer(arena_);
    if (!info.encode(writer, version, read->value)) {
      fail(where + ": read from JSON, it does not encode");
      return;
    }
    std::vector<std::byte> written(writer.size());
    writer.copy_to(written.data());
    // With unknown tags it is shorter, and then there is nothing to compare.
    if (written.size() == bytes.size()) {
      ++read_alike_;
      if (!std::equal(written.begin(), written.end(), bytes.begin())) {
        fail(where + ": read from JSON, it encodes to other bytes");
      }
    }
  }
#endif

  // A message cut short is an error wherever it is cut.
  void check_prefixes(const std::string& where, const MessageInfo& info, ApiVersion version,
                      std::span<const std::byte> bytes) {
    const std::size_t step = bytes.size() / 64 + 1;
    for (std::size_t size = 0; size < bytes.size(); size += step) {
      Reader reader(bytes.first(size), arena_);
      if (decode_any(reader, info, version)) {
        fail(where + ": decodes from its first " + std::to_string(size) + " bytes");
      }
      arena_.reset();
    }
  }

  void check_header(const std::vector<std::string_view>& parts) {
    const auto number = [&](std::size_t i) {
      return static_cast<std::int16_t>(std::stoi(std::string(parts[i])));
    };
    const ApiKey key{number(1)};
    const ApiVersion version{number(2)};
    ++headers_;
    if (request_header_version(key, version) != ApiVersion{number(3)} ||
        response_header_version(key, version) != ApiVersion{number(4)} || !is_known(key, version)) {
      fail("key " + std::to_string(key.value()) + " v" + std::to_string(version.value()) +
           ": other header versions");
    }
  }

  std::string line_of_kafka_;
  std::set<std::pair<std::string, int>> covered_;
  std::size_t instances_ = 0;
  std::size_t headers_ = 0;
  std::size_t failures_ = 0;
  std::size_t read_alike_ = 0;
  std::string text_;
  MemoryBudget budget_{std::uint64_t{64} << 20};
  Arena arena_{budget_};
};

}  // namespace

int main(int argc, char** argv) {
  Oracle oracle;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const std::size_t equals = argument.find('=');
    if (equals == std::string::npos) {
      std::fprintf(stderr, "usage: message_oracle LINE=FILE...\n");
      return 2;
    }
    oracle.run(argument.substr(0, equals), argument.substr(equals + 1));
  }
  return oracle.finish();
}
