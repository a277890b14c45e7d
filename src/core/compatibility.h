// What LibTorch 1.13 and 2.x, and the compilers that come with them, want done differently; the rest of the tree depends on
// no version. So far that is torch::autograd::Function, for operations with their own gradients.
#pragma once

// GCC 14 takes the std::vector<bool>::reserve in Function::apply for a copy past the end, and says so at every use.
#pragma GCC diagnostic push
#ifndef __clang__  // which does not know the second one
#pragma GCC diagnostic ignored "-Warray-bounds"
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#endif
#include <torch/csrc/autograd/custom_function.h>
#pragma GCC diagnostic pop
