#include "filters/pii/topics.h"

#include <algorithm>
#include <cstddef>

namespace grete::filters::pii {

bool matches_glob(std::string_view glob, std::string_view text) {
  std::size_t g = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      star_text = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', g) == std::string_view::npos;
}

bool TopicFilter::accepts(std::string_view topic) const {
  if (topic.empty()) {
    return true;
  }
  const auto matches = [topic](const std::string& glob) { return matches_glob(glob, topic); };
  return std::ranges::any_of(include, matches) && std::ranges::none_of(exclude, matches);
}

}  // namespace grete::filters::pii
