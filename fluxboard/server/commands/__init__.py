"""What may be done, and what it does: synchronous functions over one transaction.

They know nothing of HTTP or sockets. Each refuses before it writes, so that one refused operation of a batch
leaves nothing behind.
"""
