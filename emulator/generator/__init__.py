"""Work on hostile schemas and grammars outside the serving loop: processes of its own, and the ports through which
they are asked."""

from emulator.generator.grammars import GrammarWorker
from emulator.generator.pool import Generator

__all__ = ["Generator", "GrammarWorker"]
