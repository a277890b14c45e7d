#include "whence/platform/processor.h"

#include <gtest/gtest.h>

#include "support/files.h"

namespace whence {
namespace {

TEST(OpenBlasKernels, AreReplacedWhereTheProcessorWasUnknown) {
  EXPECT_EQ(openblas_kernels("Prescott", true, true), "SkylakeX");
  EXPECT_EQ(openblas_kernels("Prescott", true, false), "Haswell");
  EXPECT_EQ(openblas_kernels("Barcelona", true, false), "Haswell");
}

TEST(OpenBlasKernels, AreLeftWhereItWasKnownOrHasNoBetter) {
  EXPECT_EQ(openblas_kernels("SkylakeX", true, true), "");
  EXPECT_EQ(openblas_kernels("Zen", true, true), "");
  EXPECT_EQ(openblas_kernels("Prescott", false, false), "");
  EXPECT_EQ(openblas_kernels("", true, true), "") << "another BLAS";
}

TEST(OpenBlasKernels, AreNamedWhereOpenBlasIsLoaded) {
  const bool loaded = test::content("/proc/self/maps").find("libopenblas") != std::string::npos;
  EXPECT_EQ(!loaded_openblas_kernels().empty(), loaded);
}

}  // namespace
}  // namespace whence
