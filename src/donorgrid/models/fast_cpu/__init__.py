"""Decoders of the Llama kind on a CPU in float32, computed without transformers' layers."""
