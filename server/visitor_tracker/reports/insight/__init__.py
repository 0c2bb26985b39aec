"""What numbers will be, which are unusual, and why."""
