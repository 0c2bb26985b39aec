"""A year of invented visits, for newcomers to look at: they go the way of real ones from the hit to the reports."""
