// One request or response while it passes a chain: encoded, or decoded to its partitions' records.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "kafka/messages.h"
#include "kafka/messages/fetch_response.h"
#include "kafka/messages/produce_request.h"
#include "kafka/messages/produce_response.h"
#include "kafka/records/byte_buffer.h"
#include "plugins/frame.h"
#include "plugins/hook_call.h"

namespace grete::plugins {

// An answer that the gateway owes for a partition which it took out of a Produce request.
struct Fragment {
  std::string topic;
  kafka::Uuid topic_id;
  std::int32_t partition = 0;
  // Code 0: nothing was left to be written, and that is fine.
  Rejection rejection;
};

// Errors to be merged into the broker's answer to a Produce request.
class ResponseMerge {
 public:
  std::vector<Fragment> fragments;
};

// A partition's records in a decoded message.
struct PartitionRecords {
  std::string_view topic;  // empty where only the id is known
  kafka::Uuid topic_id;
  std::int32_t partition = 0;
  Bytes* records = nullptr;
  // Of a response.
  kafka::FetchResponse::PartitionData* fetched = nullptr;
  bool rejected = false;
};

// Shared with the frames that come out of it, which refer to its memory. One thread.
class Message {
 public:
  Message(Frame frame, const FrameContext& context, Direction direction);

  [[nodiscard]] const FrameContext& context() const { return context_; }
  [[nodiscard]] Direction direction() const { return direction_; }
  [[nodiscard]] bool changed() const { return changed_; }
  [[nodiscard]] Arena& arena() { return arena_; }

  // The body as it came.
  [[nodiscard]] Bytes original_body() const { return frame_.body(); }
  // The body as it is now, in one piece. Valid until the next change.
  [[nodiscard]] Result<Bytes, Failure> body();
  // A new body from a plug-in.
  void replace_body(std::shared_ptr<const std::vector<std::byte>> body);

  // The partitions that hold records: of a Produce request or a Fetch response, decoded if need be.
  // Valid until drop_rejected(), body() or replace_body().
  [[nodiscard]] Result<std::vector<PartitionRecords>*, Failure> partitions();
  // Gives a partition other records; they outlive the message, or come from new_buffer().
  void set_records(PartitionRecords& partition, Bytes records);
  [[nodiscard]] kafka::records::ByteBuffer& new_buffer();
  // Request: takes the partition out and owes its answer. Response: puts the error in its place.
  void reject(PartitionRecords& partition, const Rejection& rejection);
  // After the partitions were visited: takes out those of a request that were rejected.
  void drop_rejected();
  // Whether no partition of a request is left.
  [[nodiscard]] bool nothing_left() const { return nothing_left_; }
  [[nodiscard]] std::vector<Fragment>& fragments() { return fragments_; }

  // Adds the answers that the gateway owes to a Produce response.
  [[nodiscard]] Result<void, Failure> merge(const std::vector<Fragment>& fragments);

  // What is to be sent: the header as it came, and the body as it is now. `self` is this message.
  [[nodiscard]] Result<ScatterFrame, Failure> frame(const std::shared_ptr<Message>& self);

  // A response to this request: its header, then `body`, or the encoded `message`. Both outlive
  // the frame, or are owned by this message.
  [[nodiscard]] Result<ScatterFrame, Failure> reply(const std::shared_ptr<Message>& self,
                                                    Bytes body);
  [[nodiscard]] Result<ScatterFrame, Failure> reply(const std::shared_ptr<Message>& self,
                                                    const kafka::AnyMessage& message);
  // The response to a Produce of which nothing is left.
  [[nodiscard]] Result<ScatterFrame, Failure> reply_from_fragments(
      const std::shared_ptr<Message>& self);
  // In place of this response.
  [[nodiscard]] Result<ScatterFrame, Failure> replacement(const std::shared_ptr<Message>& self,
                                                          const kafka::AnyMessage& message);

  // Keeps something that outgoing frames refer to.
  void keep(std::shared_ptr<const void> owner) { kept_.push_back(std::move(owner)); }

 private:
  enum class Form : std::uint8_t {
    kEncoded,  // body_ is the truth
    kDecoded,  // the decoded struct is
  };

  [[nodiscard]] Result<void, Failure> encode_to(kafka::Writer& writer);
  [[nodiscard]] Result<ScatterFrame, Failure> finish(const std::shared_ptr<Message>& self,
                                                     kafka::Writer& writer);
  void write_response_header(kafka::Writer& writer, bool& ok);
  [[nodiscard]] Result<void, Failure> add_fragments(kafka::ProduceResponse& response,
                                                    const std::vector<Fragment>& fragments);
  [[nodiscard]] Result<void, Failure> fill_in(
      kafka::ProduceResponse::PartitionProduceResponse& answer, const Fragment& fragment);

  FrameContext context_;
  Direction direction_;
  Frame frame_;
  Arena arena_;
  Form form_ = Form::kEncoded;
  bool changed_ = false;
  bool nothing_left_ = false;
  Bytes body_;
  std::optional<kafka::ProduceRequest> produce_;
  std::optional<kafka::ProduceResponse> produced_;
  std::optional<kafka::FetchResponse> fetch_;
  std::vector<PartitionRecords> partitions_;
  std::vector<Fragment> fragments_;
  std::deque<kafka::records::ByteBuffer> buffers_;
  std::vector<std::shared_ptr<const void>> kept_;
};

}  // namespace grete::plugins
