"""The read side: what reports show, from rollups where these can answer, else from sessions and events."""
