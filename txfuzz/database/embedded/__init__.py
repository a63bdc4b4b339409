"""For adapters that start a server of their own: an account, a directory, and a keeper that ends it.

However txfuzz ends, nothing of such a server stays: KeeperLink starts a keeper process for a directory,
and the server under it. No server is named here; an adapter says how its own is stopped.
"""
