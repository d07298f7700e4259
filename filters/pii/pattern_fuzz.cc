#include <cstdlib>

#include "filters/pii/pattern.h"

// The first line is a pattern, the rest a text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace grete::filters::pii;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = input.find('\n');
  const std::string_view regex = input.substr(0, line);
  const std::string_view text =
      line == std::string_view::npos ? std::string_view{} : input.substr(line + 1);
  auto pattern = Pattern::compile(regex);
  if (!pattern) {
    return 0;
  }
  std::vector<ByteRange> ranges;
  pattern->find(text, ranges);
  std::size_t taken = 0;
  for (const ByteRange& range : ranges) {
    if (range.begin < taken || range.end <= range.begin || range.end > text.size()) {
      std::abort();
    }
    taken = range.end + 1;
  }
  return 0;
}
