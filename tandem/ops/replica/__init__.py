"""The local replica: the whole site on this machine, a container for each process."""
