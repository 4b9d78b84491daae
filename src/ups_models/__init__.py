"""ups_models: the mathematics of the surrogate and its baselines; tensors in, tensors out."""

import os

# In the oneDNN of torch 2.11 to 2.13, bfloat16 convolutions of stride above one can give wrong numbers, silently, where
# it uses AMX (uxlfoundation/oneDNN#5494, pytorch/pytorch#169688). It reads this when it first runs.
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16")
