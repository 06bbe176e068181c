"""Properties are judged by what they find, never by the time they take: machines differ, and speed is `make bench`'s.

Read by the interpreter of those clients, too, that has no hypothesis (clients/openai2).
"""

from __future__ import annotations

import importlib.util

if importlib.util.find_spec("hypothesis"):
    from hypothesis import settings

    settings.register_profile("unhurried", settings(), deadline=None)
    settings.load_profile("unhurried")
