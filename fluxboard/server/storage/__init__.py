"""The database: tables, migrations, and the threads that run transactions."""
