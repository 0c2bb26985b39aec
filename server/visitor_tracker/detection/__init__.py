"""What is unlike what is usual: pure maths, without a store."""
