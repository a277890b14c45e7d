#include "experiment/sharing.h"

#include <fmt/format.h>

#include <thread>
#include <vector>

#include "whence/platform/interrupt.h"

namespace whence::experiment {

namespace fs = std::filesystem;

fs::path claim_of(const fs::path& folder) { return folder / ".claim"; }

void wait_for_claim(const fs::path& folder, fs::path& told, Display& display) {
  if (told != folder) {
    const std::string owner = Claims::owner(claim_of(folder));
    if (!owner.empty()) display.note(fmt::format("waits for {}, which works on {}", owner, folder.string()));
    told = folder;
  }
  throw_if_interrupted();
  std::this_thread::sleep_for(std::chrono::seconds(1));
}

void share_work(std::int64_t count, const std::function<fs::path(std::int64_t)>& folder,
                const std::function<void(std::int64_t)>& work, Display& display) {
  Claims claims;
  std::vector<bool> done(static_cast<std::size_t>(count), false);
  fs::path told;
  while (true) {
    bool worked = false;
    std::int64_t waiting = -1;
    for (std::int64_t i = 0; i < count; ++i) {
      if (done[static_cast<std::size_t>(i)]) continue;
      const std::unique_ptr<Claim> claim = claims.ask(claim_of(folder(i)));
      if (claim == nullptr) {
        waiting = i;
        continue;
      }
      work(i);
      done[static_cast<std::size_t>(i)] = true;
      worked = true;
    }
    if (waiting < 0) return;
    if (!worked) wait_for_claim(folder(waiting), told, display);
  }
}

}  // namespace whence::experiment
