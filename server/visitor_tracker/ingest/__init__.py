"""The write side: from a request's values to stored rows."""
