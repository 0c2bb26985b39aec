"""What a report by mail says."""
