"""Many pictures in one style: the command ``atelier batch``, and archives for a server."""
