"""Close the sockets of users who have lost the right to them: at once, on all workers.

A socket is authenticated once, at its handshake, and Channels never looks again: after a
logout, a new password or a deactivation it would stay open for as long as it likes.

The truth is the database: every worker compares its open sockets with it every three
seconds, in two queries.  A message on the channel layer, sent by ``tandem``'s signal
handlers (``"tandem"`` in ``INSTALLED_APPS``), makes it do so at once.
"""

from tandem.revocation.middleware import LOGGED_OUT, CloseRevoked

__all__ = ["LOGGED_OUT", "CloseRevoked"]
