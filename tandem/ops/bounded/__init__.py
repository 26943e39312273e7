"""What others wrote is read within bounds: of bytes, depth, steps, memory and seconds."""
