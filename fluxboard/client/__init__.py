"""Everything a client knows without a screen: REST, the socket, and what is shown meanwhile.

The way in is :class:`fluxboard.client.session.Session`; ``docs/bot.md`` shows it in ten lines.
"""
