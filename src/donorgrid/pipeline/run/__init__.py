"""Running a study: claims, processes, progress."""
