"""Access logs of web servers, taken in as if their visits had come one by one."""
