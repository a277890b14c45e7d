// The images that a command is asked about, block by block: a whole data set need not fit into memory as numbers.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/models.h"

namespace whence::cli {

/// Pictures of the user's, or rows of the test set. Refers to its models.
class AskedImages {
 public:
  /// Errors (usage): as chosen_rows; both pictures and numbers.
  AskedImages(const ModelSet& models, const std::vector<std::int64_t>& named, std::int64_t count,
              const std::string& purpose);

  std::int64_t size() const;
  at::Tensor images(std::int64_t first, std::int64_t count) const;  ///< float32 (count, C, H, W)
  std::string name(std::int64_t i) const;                           ///< "image 17", or the picture's file
  /// {"image", "label"} or {"picture"}
  nlohmann::json facts(std::int64_t i) const;
  std::string fingerprint() const;  ///< of the rows and of the first images

 private:
  const ModelSet& models_;
  at::Tensor rows_;  ///< undefined for pictures
};

}  // namespace whence::cli
