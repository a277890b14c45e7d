#include "whence/nn/training/parameters.h"

#include "whence/core/error.h"
#include "whence/interchange/safetensors.h"

namespace whence::nn {

at::Tensor Parameters::add(const std::string& name, const at::Tensor& value) {
  for (const NamedTensor& own : tensors_)
    TORCH_CHECK(own.name != name, name_, " has a tensor ", name, " already");
  const at::Tensor leaf = value.detach().to(at::kFloat).clone().set_requires_grad(true);
  tensors_.push_back({name, leaf});
  return leaf;
}

const at::Tensor& Parameters::operator[](std::string_view name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(),
                                  [&](const NamedTensor& own) { return own.name == name; });
  TORCH_CHECK(found != tensors_.end(), name_, " has no tensor ", std::string(name));
  return found->tensor;
}

std::int64_t Parameters::count() const {
  std::int64_t count = 0;
  for (const NamedTensor& own : tensors_) count += own.tensor.numel();
  return count;
}

Parameters Parameters::part(const std::function<bool(std::string_view name)>& is_chosen) const {
  Parameters part(name_);
  for (const NamedTensor& own : tensors_)
    if (is_chosen(own.name)) part.tensors_.push_back(own);
  return part;
}

void Parameters::load_state(const NamedTensors& state) {
  if (state.size() != tensors_.size())
    fail("{} tensors do not fit the {} of {}", state.size(), tensors_.size(), name_);
  std::vector<const at::Tensor*> values;
  for (const NamedTensor& own : tensors_) {
    const auto found = std::find_if(state.begin(), state.end(),
                                    [&](const NamedTensor& other) { return other.name == own.name; });
    if (found == state.end()) fail("there is no tensor \"{}\" for {}", own.name, name_);
    if (found->tensor.sizes() != own.tensor.sizes() ||
        found->tensor.scalar_type() != own.tensor.scalar_type())
      fail("the tensor \"{}\" has another shape or type than {} needs", own.name, name_);
    values.push_back(&found->tensor);
  }
  const at::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < tensors_.size(); ++i) tensors_[i].tensor.copy_(*values[i]);
}

void Parameters::freeze() {
  for (NamedTensor& own : tensors_) own.tensor.set_requires_grad(false);
}

void save_parameters(const std::filesystem::path& path, const Parameters& parameters,
                     std::map<std::string, std::string> metadata) {
  NamedTensors tensors;
  for (const NamedTensor& own : parameters.state()) tensors.push_back({own.name, own.tensor.detach()});
  metadata["network"] = parameters.name();
  save_safetensors(path, tensors, metadata);
}

void load_parameters(const std::filesystem::path& path, Parameters& parameters) {
  const SafetensorsFile file = load_safetensors(path);
  try {
    parameters.load_state(file.tensors);
  } catch (const Error& error) {
    fail("{}: {}", path.string(), error.what());
  }
}

}  // namespace whence::nn
