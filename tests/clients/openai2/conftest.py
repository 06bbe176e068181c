"""Clients that need version 2 of the openai package have an environment of their own, which runs these tests alone:

.venv-clients/bin/python -m pytest tests/clients/openai2

Rule: nothing here imports the server.  Where the clients aren't installed there is nothing to collect.
"""

from __future__ import annotations

import importlib.util
import os

CLIENTS = ("instructor", "litellm", "llama_index")

collect_ignore_glob = [] if all(importlib.util.find_spec(client) for client in CLIENTS) else ["test_*.py"]

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # Else it fetches a list of prices when it is imported.
