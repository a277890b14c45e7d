// What a page says of the machine and program of a run, from its run.json.
#pragma once

namespace whence::results {

struct Fact {
  const char* pointer;  ///< JSON pointer
  const char* form;     ///< fmt format of one string
};
constexpr Fact kFacts[] = {{"/machine/processor", "{}"},
                           {"/machine/cores", "{} cores"},
                           {"/machine/libtorch", "LibTorch {}"},
                           {"/precision/chosen", "{}"},
                           {"/whence", "whence {}"}};

}  // namespace whence::results
