"""Three ways over the same work: the release's, a tuned peer's, and donorgrid's. Needs the extra ``lm-eval``."""
