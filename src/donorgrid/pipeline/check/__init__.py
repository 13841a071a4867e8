"""Checking adapters: from what a user names to judged answers."""
