"""ups_models: the mathematics of the surrogate and its baselines; tensors in, tensors out."""

import os

# With AMX, some bfloat16 convolutions of stride above one are silently wrong in oneDNN 3.12, which torch 2.13 has
# (uxlfoundation/oneDNN#5494, pytorch/pytorch#169688). It reads this when it first runs.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16")
