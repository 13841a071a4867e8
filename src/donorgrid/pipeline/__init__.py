"""The one place that wires the stages together: plan, train, score, store, analyse, report."""
