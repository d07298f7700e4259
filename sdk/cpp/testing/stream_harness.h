// Runs a filter on a byte stream in a native test, as Envoy would: bytes in, forwarded bytes out.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "sdk/cpp/stream/connection.h"
#include "sdk/cpp/testing/harness.h"

namespace grete::sdk::testing {

class StreamHarness {
 public:
  // The configuration must be good.
  StreamHarness(std::unique_ptr<Filter> filter, std::string_view configuration);

  // Bytes arrive from the client, or from the broker. What goes on is appended to to_broker or
  // to_client. False: the filter closed the connection.
  bool from_client(Bytes bytes, EndOfStream end = EndOfStream::kNo);
  bool from_broker(Bytes bytes, EndOfStream end = EndOfStream::kNo);

  std::vector<std::byte> to_broker;
  std::vector<std::byte> to_client;

  [[nodiscard]] TestHost& host() { return host_; }

 private:
  struct Buffer final : HostBuffer {
    std::vector<std::byte> bytes;

    [[nodiscard]] std::size_t size() const override { return bytes.size(); }
    void read(std::vector<std::byte>& to) override {
      to.insert(to.end(), bytes.begin(), bytes.end());
    }
    void replace(Bytes with) override { bytes.assign(with.begin(), with.end()); }
  };

  static bool forward(StreamAction action, Buffer& buffer, std::vector<std::byte>& to);

  TestHost host_;
  Plugin plugin_;
  StreamShared shared_{plugin_, host_};
  Connection connection_{shared_, 1};
  Buffer downstream_;
  Buffer upstream_;
};

}  // namespace grete::sdk::testing
