"""Traffic of users, while something is done to the site: requests and chat sockets.

Run as a process of its own (``python -m tests.load``), so that a busy test does not
delay it.  It only ever speaks to the address that it is given: the test's own servers.
"""
