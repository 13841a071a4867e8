"""The files of a study as its ledger: claims on work, item answers, failures, manifest."""
