"""What lies on the disk: run directories, the index over them, and what users keep beside them."""
