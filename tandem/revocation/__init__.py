"""End what users have open when they lose the right to it: at once, on all workers.

A socket is authenticated once, at its handshake, an event stream at its request, and nobody
ever looks again: after a logout, a new password or a deactivation they would stay open for
as long as they like.

The truth is the database: every worker compares what is open with it every three
seconds, in two queries.  A message on the channel layer, sent by ``tandem``'s signal
handlers (``"tandem"`` in ``INSTALLED_APPS``), makes it do so at once.
"""

from tandem.facts import LOGGED_OUT
from tandem.revocation.middleware import CloseRevoked, EndWithLogin

__all__ = ["LOGGED_OUT", "CloseRevoked", "EndWithLogin"]
