"""What is known of models by their names: how each is prompted, sampled, read and brought to call tools.

Rule: whatever differs between models is data, ``profiles/*.toml`` and the files of ``--profiles``; docs/profiles.md has
the format.
"""

from emulator.profiles.folder import BUILT_IN, Profiles
from emulator.profiles.profile import DEFAULT_STYLE, PROMPTS, Profile, PromptStyle, with_defaults
from emulator.profiles.reading import ProfileError

__all__ = [
    "BUILT_IN",
    "DEFAULT_STYLE",
    "PROMPTS",
    "Profile",
    "ProfileError",
    "Profiles",
    "PromptStyle",
    "with_defaults",
]
