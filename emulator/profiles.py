"""What is known of models by their names, from ``profiles/models.toml``."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parent.parent / "profiles" / "models.toml"


@dataclass(frozen=True, slots=True)
class Profile:
    """``opens_thought``: the model's text begins inside a thought that its chat template opened."""

    match: re.Pattern[str] = re.compile("")
    opens_thought: bool = False


class Profiles:
    """Raises ValueError, naming the file, where an entry can't be read."""

    def __init__(self, file: Path = FILE) -> None:
        with file.open("rb") as data:
            entries = tomllib.load(data).get("model", [])
        try:
            self._profiles = [
                Profile(**entry | {"match": re.compile(entry["match"], re.IGNORECASE)}) for entry in entries
            ]
        except (KeyError, TypeError, re.error) as error:
            raise ValueError(f"{file}: {error}") from error

    def of(self, model: str) -> Profile:
        return next((profile for profile in self._profiles if profile.match.search(model)), Profile())
