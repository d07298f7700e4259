// What a plug-in can do to Kafka traffic: the hooks, and who implements them.
//
//   ByteStream   the raw stream of a connection             stream/stream_filter.h
//   Message      a request or a response, encoded           here
//   Records      the records of one batch, decompressed     here
//
// A Hook is a plug-in in a chain: immutable, shared by all workers. Each worker makes a HookRuntime
// of it, and for each message that the plug-in subscribed to a Visit, which makes one call after
// the other. Calls run in slices, so that a slow plug-in delays nobody else. WebAssembly plug-ins
// and native filters implement the same three classes; everything else is the chain's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "kafka/lane/format.h"
#include "kafka/records/batch.h"
#include "plugins/edit_list.h"
#include "plugins/frame.h"
#include "plugins/subscription.h"

namespace grete::plugins {

// What happens when a plug-in fails: traps, passes its deadline, or has no instance free.
enum class OnFailure : std::uint8_t {
  kReject,   // the message is rejected (the default)
  kPass,     // the message goes on as it was before this plug-in
  kObserve,  // likewise; moreover all verdicts and edits of this plug-in are counted, not obeyed
};
[[nodiscard]] std::string_view name_of(OnFailure policy);

// Kinds of calls, for telemetry.
enum class HookKind : std::uint8_t { kByteStream, kMessage, kRecords, kTopicPolicy };
[[nodiscard]] std::string_view name_of(HookKind kind);

using VerdictKind = kafka::lane::VerdictKind;

// What a plug-in decided about a message or a batch. docs/kafka-lane.md says what each may do.
struct Verdict {
  VerdictKind kind = VerdictKind::kPass;
  // kReject: Kafka's error code; 0 is the default of the hook.
  std::int16_t code = 0;
  // kReject: for people, at most limits::kMaxMessageBytes.
  std::string message;
  // kReject of records: indexes in the batch, ascending.
  std::vector<std::uint32_t> records;
  // kDelay: at most limits::kMaxDelay.
  Duration delay{};
  // kReplace, kReply: the new body.
  std::shared_ptr<const std::vector<std::byte>> body;
};

enum class FailureKind : std::uint8_t {
  kTrap,         // the guest crashed
  kDeadline,     // it took too long
  kBusy,         // no instance became free in time
  kQuarantined,  // it failed too often, and is left alone for a while
  kMemory,       // the connection's memory budget is used up
  kUndecodable,  // the message or batch is malformed, so the plug-in cannot be shown it
};
inline constexpr std::size_t kFailureKinds = 6;
[[nodiscard]] std::string_view name_of(FailureKind kind);

// Why a call did not end well.
struct Failure {
  FailureKind kind = FailureKind::kTrap;
  std::string detail;  // for the log, not for clients
};

// One call of a Message hook. Borrows until the call is done or dropped.
struct MessageCall {
  const FrameContext* context = nullptr;
  Direction direction = Direction::kRequest;
  kafka::lane::Payload payload = kafka::lane::Payload::kMessage;  // kMessage or kHeader
  Bytes body;                                                     // empty for kHeader
};

// One call of a Records hook: a window of one batch. Borrows until the call is done or dropped.
struct RecordsCall {
  const FrameContext* context = nullptr;
  Direction direction = Direction::kRequest;
  kafka::lane::Payload payload = kafka::lane::Payload::kRecords;  // kRecords or kBatches
  std::string_view topic;                                         // empty: only the id is known
  kafka::Uuid topic_id;
  std::int32_t partition = 0;
  std::uint32_t batch = 0;          // index in this partition of this message
  std::uint32_t batch_records = 0;  // in the whole batch
  std::uint32_t first = 0;          // index in the batch of the window's first record
  std::uint32_t count = 0;          // records in the window
  bool last = true;                 // whether the window ends the batch
  bool may_drop = false;
  // The batch's header, with magic 2.
  kafka::records::BatchHeader header;
  // `count` records in Kafka's format v2.
  Bytes records;
};

enum class CallState : std::uint8_t {
  kRunnable,  // poll again
  kWaiting,   // likewise, but only others' progress can help: no instance is free
  kDone,      // take() the result
};

// One message's visit to one plug-in. Calls are made one after the other. Dropping it at any point
// is safe, and abandons a call under way. One thread.
class Visit {
 public:
  virtual ~Visit() = default;
  Visit() = default;
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

  virtual void start(const MessageCall& call) = 0;
  // `edits` outlives the call, which adds to it.
  virtual void start(const RecordsCall& call, EditList& edits) = 0;
  // Runs at most one slice of the call.
  virtual CallState poll(Moment now) = 0;
  // After kDone, once. After a failure the visit makes no further call.
  virtual Result<Verdict, Failure> take() = 0;
  // Slices that the last call took.
  [[nodiscard]] virtual std::uint32_t slices() const { return 1; }
};

// A plug-in in one worker. One thread; outlives its visits.
class HookRuntime {
 public:
  virtual ~HookRuntime() = default;
  HookRuntime() = default;
  HookRuntime(const HookRuntime&) = delete;
  HookRuntime& operator=(const HookRuntime&) = delete;

  virtual std::unique_ptr<Visit> visit() = 0;
  // Housekeeping, once a turn of the worker's loop: hands free instances to visits that wait.
  virtual void serve(Moment now) { static_cast<void>(now); }
};

struct HookSpec {
  // The plug-in's name in the configuration.
  std::string name;
  OnFailure on_failure = OnFailure::kReject;
};

struct Worker;

// A plug-in in a chain. Immutable, thread-safe, outlives its runtimes.
class Hook {
 public:
  virtual ~Hook() = default;
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;

  [[nodiscard]] const std::string& name() const { return spec_.name; }
  [[nodiscard]] OnFailure on_failure() const { return spec_.on_failure; }
  [[nodiscard]] const Subscription& subscription() const { return subscription_; }

  // On the worker's thread, which owns the result.
  [[nodiscard]] virtual std::unique_ptr<HookRuntime> make_runtime(Worker& worker) const = 0;

 protected:
  Hook(HookSpec spec, Subscription subscription)
      : spec_(std::move(spec)), subscription_(std::move(subscription)) {}

 private:
  HookSpec spec_;
  Subscription subscription_;
};

}  // namespace grete::plugins
