"""The files of profiles that are on disk: the user's before the built-in ones."""

from __future__ import annotations

from pathlib import Path

from emulator.profiles.profile import Profile
from emulator.profiles.reading import DEFAULT, Family, ProfileError, read_family
from emulator.recent import Recent

BUILT_IN = Path(__file__).parent.parent.parent / "profiles"
_LONGEST_NAME = 200
"""Characters of a model's name, from its end, that are looked at: a client may send anything as a name."""
_KNOWN_NAMES = 1024


class Profiles:
    """Every profile there is, read once.

    The files of ``folder`` come first, by name; one of a built-in file's name takes that one's place.  Raises
    ProfileError where ``folder`` has no profiles or one of them can't be used.
    """

    def __init__(self, folder: Path | None = None) -> None:
        families = _families(folder) if folder is not None else {}
        families |= {name: family for name, family in _families(BUILT_IN).items() if name not in families}
        self._default = families.pop(DEFAULT)
        self._families = tuple(families.values())
        self._known = Recent[str, Profile](_KNOWN_NAMES)

    def of(self, model: str) -> Profile:
        """The profile of the first file that is for ``model``, else the default."""
        name = model[-_LONGEST_NAME:]
        return self._known.get(name) or self._known.put(name, self._find(name))

    def _find(self, name: str) -> Profile:
        for family in (*self._families, self._default):
            if (profile := family.of(name)) is not None:
                return profile
        return self._default.profile


def _families(folder: Path) -> dict[str, Family]:
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == ".toml")
        read = {file.stem: file.read_bytes() for file in files}
    except OSError as error:
        raise ProfileError(f"--profiles: {error.filename or folder} can't be read ({error.strerror}).") from None
    if not read:
        raise ProfileError(f"--profiles: {folder} has no files that end with .toml.")
    return {name: read_family(name, data, str(folder / f"{name}.toml")) for name, data in read.items()}
