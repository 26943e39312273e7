"""Stands for the server, which is an application of Django's, too."""
