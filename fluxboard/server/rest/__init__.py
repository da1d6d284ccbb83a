"""REST: thin handlers that decode, run a command in a transaction, and encode its answer."""
