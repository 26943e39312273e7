"""State of threads, and of the process."""

import signal
import threading
from threading import local as per_thread

current = threading.local()  # W038
other = per_thread()  # W038


class Store(threading.local):  # W038
    """One for each thread."""


signal.signal(signal.SIGTERM, print)  # W051
