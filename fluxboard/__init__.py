"""fluxboard: a collaborative task board for the terminal."""
