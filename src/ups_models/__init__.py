"""ups_models: the mathematics of the surrogate and its baselines; tensors in, tensors out."""
