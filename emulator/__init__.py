"""OpenAI tool calling for language models that have none."""

__version__ = "0.1.0"
