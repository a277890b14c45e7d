"""run_exported.py MODULE TENSORS: prints how far the TorchScript module's answers to tensor "x" are from the tensors
"output0", "output1", ..., and the names and shapes of its state dict, as JSON."""
import json
import sys

import safetensors_format
import torch

module = torch.jit.load(sys.argv[1])
module.eval()
tensors, _ = safetensors_format.read(sys.argv[2])
with torch.no_grad():
    outputs = module(torch.tensor(tensors["x"]))
if isinstance(outputs, torch.Tensor):
    outputs = (outputs,)
print(json.dumps({
    "differences": [(output - torch.tensor(tensors[f"output{i}"])).abs().max().item() for i, output in enumerate(outputs)],
    "state": {name: list(value.shape) for name, value in module.state_dict().items()}}))
