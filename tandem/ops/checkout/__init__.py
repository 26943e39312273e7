"""What this checkout builds and runs by: its settings, the engine, the images, another's site."""
