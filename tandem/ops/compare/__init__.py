"""Ask both upstreams for the same pages, and tell where their answers differ."""
