"""Build the replica's images while other tests run, so that its own find them."""

from tests.stack import Stack

if __name__ == "__main__":
    Stack().replica("images")
