"""Hours of everything at once, under random faults: ``make soak`` (docs/testing.md).

Ten thousand sockets are held while, fault after fault, requests and chat sockets count what
they lose (``tests.load``).  All traffic goes to containers that the run itself started.
"""
