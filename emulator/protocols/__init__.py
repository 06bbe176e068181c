"""Wire formats ↔ the emulator's own types.  Pure: bytes and dicts in, dataclasses out, and back."""
