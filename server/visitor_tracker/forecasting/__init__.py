"""What the next days are likely to bring: pure maths, without a store."""
