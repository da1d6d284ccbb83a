"""The command line: thin click commands over the client package."""
