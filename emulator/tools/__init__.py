"""A tool set in all its renderings; pure."""
