"""The model's text → prose, thoughts and proven calls.  Pure: nothing here does I/O or runs code."""
