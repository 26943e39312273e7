"""What units and containers run, to start, ask and stop the instances of a site."""
