#include <cstdlib>

#include "filters/pii/masking.h"
#include "filters/pii/scanner.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace grete::filters::pii;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Scanner scanner(DetectorSet::all());
  std::vector<Match> matches;
  scanner.find(text, matches);
  std::size_t taken = 0;
  for (const Match& match : matches) {
    if (match.begin < taken || match.end <= match.begin || match.end > size) {
      std::abort();
    }
    taken = match.end;
  }
  if (scanner.steps() > 32 * (size + 64)) {
    std::abort();
  }
  const std::string once = masked(text, matches);
  matches.clear();
  scanner.find(once, matches);
  if (!matches.empty()) {
    std::abort();
  }
  return 0;
}
