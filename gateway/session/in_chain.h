// A message on its way through the plug-ins, with everything that must outlive it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "gateway/session/buffer.h"
#include "gateway/session/pending_requests.h"
#include "gateway/session/reply_codec.h"
#include "gateway/session/session.h"
#include "plugins/chain.h"

namespace grete::gateway {

struct Session::InChain {
  plugins::FrameContext context;
  std::shared_ptr<const std::string> client_id;
  std::shared_ptr<const plugins::TopicNames> topics;
  std::shared_ptr<Buffer> frame;  // the message as it came, its length field included
  Moment begun;
  bool waiting = false;                     // the latest slice could do nothing
  std::optional<plugins::Outcome> outcome;  // known, and delayed
  Moment effective;                         // when it takes effect
  std::unique_ptr<plugins::Task> task;      // until the outcome is known
};

// A whole frame as a message that the plug-ins could have made.
[[nodiscard]] inline plugins::ScatterFrame scatter(std::shared_ptr<const Buffer> frame) {
  plugins::ScatterFrame message;
  message.pieces.push_back(frame->bytes().subspan(kLengthField));
  message.size = static_cast<std::uint32_t>(frame->size() - kLengthField);
  message.owner = std::move(frame);
  return message;
}

}  // namespace grete::gateway
