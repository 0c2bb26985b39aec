"""Sockets, threads and processes; knows HTTP bytes, knows nothing of visitors."""
