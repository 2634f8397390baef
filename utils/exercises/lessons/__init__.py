"""The exercises of each lesson: what they compute (.py) and what they say (.toml)."""
