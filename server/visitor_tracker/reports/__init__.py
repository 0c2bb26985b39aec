"""The read side: numbers from the store."""
