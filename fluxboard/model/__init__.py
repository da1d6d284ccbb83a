"""What a board is: pure types and functions, without I/O."""
