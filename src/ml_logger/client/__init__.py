"""The client's side of a value's way: journal, spool, carrier and the destinations they lead to."""
