"""Past days as columns: questions under filters of visits read these, and no visit one by one."""
