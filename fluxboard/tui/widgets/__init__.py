"""Widgets: drawn, few, and free of network and storage."""
