"""A bucket as a root: a mirror on a local disk, and what goes to and fro between the two. Knows no session and no method."""
