"""REST and Socket.IO over one database, as one ASGI application."""
