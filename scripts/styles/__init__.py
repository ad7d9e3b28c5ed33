"""Style pictures that the project paints itself: ``python -m scripts.styles --help``."""
