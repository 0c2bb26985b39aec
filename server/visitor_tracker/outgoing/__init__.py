"""What leaves this server by itself: mail, and requests to addresses that people gave."""
