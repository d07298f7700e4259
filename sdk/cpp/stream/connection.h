// One client connection on a host that knows bytes only (Envoy): requests one way, responses the
// other, and the filter in between.
//
//   request ---> FrameStream ---> look: who wants it? --no--> as it comes
//                                   | yes: whole
//                                   v
//              filter: pass | replace | edit records | reject | reply | close
//                                   |                     |
//                                   v                     v
//                       to the broker, as changed     to the broker: ApiVersions v0 with the same
//                                                     correlation id; its answer is swapped for
//                                                     the reply, so that the order stays
//
// Every request that will be answered is remembered until its response comes, by which responses
// are known. What cannot be followed (a response to nothing, an unknown version of a message that
// the filter asked for) closes the connection: a filter that lost its place must let nothing by.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kafka/ids.h"
#include "kafka/messages/fetch_response.h"
#include "kafka/messages/produce_request.h"
#include "kafka/messages/produce_response.h"
#include "kafka/messages/request_header.h"
#include "sdk/cpp/plugin.h"
#include "sdk/cpp/stream/frame_stream.h"
#include "sdk/cpp/stream/record_pass.h"

namespace grete::sdk {

// What all connections of a plug-in share. One thread.
struct StreamShared {
  StreamShared(Plugin& shared_plugin, Host& shared_host)
      : plugin(&shared_plugin), host(&shared_host), records(shared_plugin) {}

  Plugin* plugin;
  Host* host;
  RecordPass records;
  MemoryBudget budget{std::uint64_t{512} << 20};
  Arena arena{budget};
};

class Connection {
 public:
  // `shared` outlives the connection. `id` names it in calls of the filter.
  Connection(StreamShared& shared, std::uint64_t id);

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Bytes of the client are in `buffer`.
  StreamAction on_downstream(HostBuffer& buffer, EndOfStream end) {
    return requests_.on_data(buffer, end);
  }
  // Bytes of the broker are in `buffer`.
  StreamAction on_upstream(HostBuffer& buffer, EndOfStream end) {
    return responses_.on_data(buffer, end);
  }

  // More requests without an answer close the connection.
  static constexpr std::size_t kMaxPending = 10'000;

 private:
  // The answer to a partition that was taken out of a Produce request.
  struct Fragment {
    std::string topic;
    kafka::Uuid topic_id;
    std::int32_t partition = 0;
    std::int16_t code = 0;
    std::string message;
    std::vector<std::uint32_t> records;
  };

  // A request whose response is still to come.
  struct Pending {
    kafka::ApiKey key;
    kafka::ApiVersion version;
    std::int32_t correlation = 0;
    std::string client_id;
    // The body of the reply that takes the response's place.
    std::optional<std::vector<std::byte>> reply;
    // What is added to the answer of the broker.
    std::vector<Fragment> fragments;
  };

  struct Handler : FrameHandler {
    explicit Handler(Connection& owner) : connection(&owner) {}
    Connection* connection;
  };
  struct Requests final : Handler {
    using Handler::Handler;
    Look look(Bytes prefix, std::size_t frame_size) override;
    Fate handle(Bytes frame, std::vector<std::byte>& out) override;
  };
  struct Responses final : Handler {
    using Handler::Handler;
    Look look(Bytes prefix, std::size_t frame_size) override;
    Fate handle(Bytes frame, std::vector<std::byte>& out) override;
  };

  using Fate = FrameHandler::Fate;
  using Payload = kafka::lane::Payload;

  [[nodiscard]] bool wants(kafka::ApiKey key, kafka::ApiVersion version,
                           kafka::lane::Direction direction, Payload payload) const;
  [[nodiscard]] bool wants_any(kafka::ApiKey key, kafka::ApiVersion version,
                               kafka::lane::Direction direction) const;
  Fate close(std::string_view why);
  FrameHandler::Look close_at_look(std::string_view why);
  bool remember(Pending pending);

  Fate handle_request(Bytes frame, std::vector<std::byte>& out);
  Fate handle_produce(const kafka::lane::CallHead& head, Pending pending, Bytes header, Bytes body,
                      bool replaced, std::vector<std::byte>& out);
  // Shows the partitions' records to the filter, and takes out what it rejects. False: close.
  bool show_produced(const kafka::lane::CallHead& head, kafka::ProduceRequest& request,
                     std::vector<Fragment>& fragments, bool& changed);
  Fate swap(Pending pending, std::vector<std::byte> reply, std::vector<std::byte>& out);

  Fate handle_response(Bytes frame, Pending pending, std::vector<std::byte>& out);
  Fate handle_fetched(const kafka::lane::CallHead& head, Bytes header, Bytes body, bool replaced,
                      std::vector<std::byte>& out);
  Fate merge_fragments(const Pending& pending, Bytes header, Bytes body,
                       std::vector<std::byte>& out);
  // False: there is no memory.
  [[nodiscard]] bool add_fragments(const std::vector<Fragment>& fragments,
                                   kafka::ProduceResponse& response);

  StreamShared* shared_;
  std::uint64_t id_;
  Requests request_handler_{*this};
  Responses response_handler_{*this};
  FrameStream requests_{request_handler_};
  FrameStream responses_{response_handler_};
  std::deque<Pending> pending_;
};

}  // namespace grete::sdk
