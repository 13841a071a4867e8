"""What every stage may import: records, errors, file names, digests, the regime rule, the declared tables."""
