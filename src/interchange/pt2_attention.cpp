#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/jit.h>

#include "interchange/pt2_graph.h"
#include "whence/core/error.h"

namespace whence::interchange {
namespace {

using nlohmann::json;

/// Attention as its documentation states it, for a LibTorch (1.13) that has no operator of that name.
constexpr const char* kAttention = R"(
def scaled_dot_product_attention(query, key, value, attn_mask: Optional[Tensor], is_causal: bool, scale: Optional[float]):
  factor = 1.0 / float(query.size(-1)) ** 0.5
  if scale is not None:
    factor = scale
  scores = torch.matmul(query, key.transpose(-2, -1)) * factor
  if is_causal:
    later = torch.triu(torch.ones_like(scores), 1)
    scores = scores.masked_fill(later > 0, -float("inf"))
  if attn_mask is not None:
    if attn_mask.dtype == 11:
      scores = scores.masked_fill(torch.logical_not(attn_mask), -float("inf"))
    else:
      scores = scores + attn_mask
  return torch.matmul(torch.softmax(scores, -1), value)
)";

}  // namespace

void Pt2Graph::add_attention(const json& node) {
  static const std::shared_ptr<torch::jit::CompilationUnit> unit = torch::jit::compile(kAttention);
  const auto& graph = torch::jit::toGraphFunction(unit->get_function("scaled_dot_product_attention")).graph();
  std::map<std::string, Value*> given;
  for (const json& input : node.at("inputs"))
    given[input.at("name").get<std::string>()] = value_of(input.at("arg"), c10::TensorType::get());
  const auto or_none = [&](const char* name) {
    return given.contains(name) ? given[name] : jit_->insertConstant(c10::IValue());
  };
  Value* causal = given.contains("is_causal") ? given["is_causal"] : jit_->insertConstant(false);
  const std::vector<Value*> inputs = {given["query"],       given["key"], given["value"],
                                      or_none("attn_mask"), causal,       or_none("scale")};
  if (given.contains("dropout_p") &&
      torch::jit::toIValue(given["dropout_p"]).value_or(0.0) != c10::IValue(0.0))
    fail("the answer of {} is random: {} drops values; call model.eval() before torch.export.export", file_,
         place_of(node));
  const std::vector<Value*> outputs = torch::jit::insertGraph(*jit_, *graph, inputs);
  name_outputs(node.at("outputs"), outputs);
}

}  // namespace whence::interchange
