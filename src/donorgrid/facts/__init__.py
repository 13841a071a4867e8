"""Facts with their sources: languages, benchmarks, model families."""
