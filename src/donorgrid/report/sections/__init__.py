"""The sections of the page, one file per subject; ``order`` lists them in reading order."""
