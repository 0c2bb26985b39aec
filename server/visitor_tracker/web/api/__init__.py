"""The API of the dashboard, of the command line's peers and of other programs: one module per subject."""
