// What a page says of the machine, the program and the data of a run, from its run.json and metrics.json.
#pragma once

namespace whence::results {

struct Fact {
  const char* pointer;  ///< JSON pointer
  const char* form;     ///< fmt format of one string
};
constexpr Fact kFacts[] = {
    {"/machine/processor", "{}"}, {"/machine/cores", "{} cores"}, {"/machine/libtorch", "LibTorch {}"},
    {"/precision/chosen", "{}"},  {"/whence", "whence {}"},       {"/data/files", "data {}"}};

}  // namespace whence::results
