// A Kafka filter: write a class, override what you need, and end its file with GRETE_FILTER.
//
//   class Shout final : public grete::sdk::Filter {
//     void on_configure(sdk::Config&, sdk::Subscriptions& subscribe) override {
//       subscribe.produced_records();
//     }
//     sdk::Verdict on_records(sdk::Records& records) override { ... }
//   };
//   GRETE_FILTER(Shout)
//
// The module that comes out is a Proxy-Wasm L4 filter. On a host with the Kafka lane (grete) it is
// handed messages; elsewhere (Envoy) the SDK cuts them out of the byte stream. The filter cannot
// tell the difference, but for what its host does not know (see docs/kafka-lane.md).
//
// An instance serves one thread and sees messages of many connections; many instances may be alive
// at once. So keep no state about a connection, and share nothing but through the host.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "kafka/ids.h"
#include "kafka/lane/format.h"
#include "sdk/cpp/config.h"
#include "sdk/cpp/message.h"
#include "sdk/cpp/records.h"
#include "sdk/cpp/verdict.h"

namespace grete::sdk {

enum class LogLevel : std::uint32_t { kTrace, kDebug, kInfo, kWarn, kError, kCritical };

// A counter that the host keeps; 0 is none.
enum class Counter : std::uint32_t { kNone = 0 };

// What every host offers. Calls are cheap, but not free: some 50 ns and more each.
class Host {
 public:
  virtual ~Host() = default;
  virtual void log(LogLevel level, std::string_view text) = 0;
  // Nanoseconds since 1970.
  virtual std::uint64_t unix_time_ns() = 0;
  // The counter of that name, made if it is new.
  virtual Counter counter(std::string_view name) = 0;
  // Adds `by`, more than 0, to a counter.
  virtual void add(Counter counter, std::uint64_t by) = 0;
  // Filter::on_tick is called every so many milliseconds; 0 ends that. On a host with the lane any
  // instance may be the one.
  virtual void set_tick_period(std::uint32_t milliseconds) = 0;
};

// Which messages a filter sees. Told in on_configure; what it subscribes to may depend on its
// configuration and on nothing else.
class Subscriptions {
 public:
  // Filter::on_records for what clients produce, and for what they fetch.
  void produced_records();
  void fetched_records();
  // Filter::on_request and on_response, from `first` to `last` version.
  void requests(kafka::ApiKey key, std::int16_t first = 0, std::int16_t last = kAllLater);
  void responses(kafka::ApiKey key, std::int16_t first = 0, std::int16_t last = kAllLater);
  // Anything that the lane has to offer.
  void add(const kafka::lane::Interest& interest) { interests_.push_back(interest); }

  [[nodiscard]] const std::vector<kafka::lane::Interest>& interests() const { return interests_; }

  static constexpr std::int16_t kAllLater = 32767;

 private:
  std::vector<kafka::lane::Interest> interests_;
};

class Filter {
 public:
  virtual ~Filter() = default;

  // Once, before anything else. Read every setting from `config` and note what is wrong with
  // config.fail(); unknown settings are found by the SDK. A filter with an error is not loaded.
  virtual void on_configure(Config& config, Subscriptions& subscribe) = 0;

  // A window of the records of one batch. Large batches come in several; a rejection in any of them
  // counts for the whole batch, and edits take effect together after the last.
  virtual Verdict on_records(Records&) { return Verdict::pass(); }
  virtual Verdict on_request(Message&) { return Verdict::pass(); }
  virtual Verdict on_response(Message&) { return Verdict::pass(); }
  // See Host::set_tick_period.
  virtual void on_tick() {}

 protected:
  // From on_configure on.
  [[nodiscard]] Host& host() { return *host_; }

 private:
  friend class Plugin;
  Host* host_ = nullptr;
};

// Defined by GRETE_FILTER in the one filter of a module.
std::unique_ptr<Filter> make_filter();

}  // namespace grete::sdk

#define GRETE_FILTER(Type)                                          \
  std::unique_ptr<::grete::sdk::Filter> grete::sdk::make_filter() { \
    return std::make_unique<Type>();                                \
  }
