"""Methods of the public logger, one family a file, stateless over one Session."""
