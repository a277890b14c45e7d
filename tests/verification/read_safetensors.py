"""read_safetensors.py FILE: prints what is in it as JSON."""
import json
import sys

import safetensors_format

arrays, metadata = safetensors_format.read(sys.argv[1])
print(json.dumps({"metadata": metadata, "tensors": {
    name: {"shape": array.shape, "values": [float(value) for value in array.flatten()]}
    for name, array in arrays.items()}}))
