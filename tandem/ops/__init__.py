"""The operator's command, ``tandem``, and what it is made of."""
