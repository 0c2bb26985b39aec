"""Visits as a function of events: facts, sessions cut from them, and what these add to every report."""
