"""The wire formats of the clients that send here, one file for each kind."""
