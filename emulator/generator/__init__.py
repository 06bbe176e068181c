"""Stubs made outside the serving loop: a process of its own, and the port through which it is asked."""

from emulator.generator.pool import Generator

__all__ = ["Generator"]
