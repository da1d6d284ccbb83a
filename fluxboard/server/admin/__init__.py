"""What who runs a board does to its database: plain functions over a transaction, beside running servers."""
