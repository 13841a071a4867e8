"""What every stage may import: records, errors, names, digests, the regime rule and the declared tables."""
