"""What the emulator costs, measured beside a bare Flask app that does the same I/O: ``python -m benchmarks``."""
