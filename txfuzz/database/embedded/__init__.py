"""For adapters that start an embedded server: an account, a directory, and a keeper process.

However txfuzz ends, nothing of such a server remains: KeeperLink starts a keeper process for a directory, and
the server as its child. No server is named here; an adapter says how its own is stopped.
"""
