"""What visitors do, and whether people do such things."""
