"""donorgrid: what fine-tuning on one (task, language) gives to, and takes from, every other."""

__version__ = "0.1.0"
