"""Scripts for those who keep the course: `python -m tools.NAME` from the top folder."""
