"""An adapter as a folder that opens anywhere, with a model card."""
