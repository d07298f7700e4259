#include "sdk/cpp/testing/stream_harness.h"

#include <cstdlib>
#include <utility>

namespace grete::sdk::testing {

StreamHarness::StreamHarness(std::unique_ptr<Filter> filter, std::string_view configuration)
    : plugin_(std::move(filter), host_) {
  if (!plugin_.configure(configuration)) {
    std::abort();
  }
}

bool StreamHarness::forward(StreamAction action, Buffer& buffer, std::vector<std::byte>& to) {
  if (action == StreamAction::kContinue) {
    to.insert(to.end(), buffer.bytes.begin(), buffer.bytes.end());
    buffer.bytes.clear();
  }
  return action != StreamAction::kClose;
}

bool StreamHarness::from_client(Bytes bytes, EndOfStream end) {
  downstream_.bytes.insert(downstream_.bytes.end(), bytes.begin(), bytes.end());
  return forward(connection_.on_downstream(downstream_, end), downstream_, to_broker);
}

bool StreamHarness::from_broker(Bytes bytes, EndOfStream end) {
  upstream_.bytes.insert(upstream_.bytes.end(), bytes.begin(), bytes.end());
  return forward(connection_.on_upstream(upstream_, end), upstream_, to_client);
}

}  // namespace grete::sdk::testing
