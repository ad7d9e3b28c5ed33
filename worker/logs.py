"""How a process of Atelier writes its log: one line per event on stderr."""

import logging

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def set_up_logging(level: str) -> None:
    """Sets the format and the least severe level shown, such as ``info``."""
    logging.basicConfig(format=_FORMAT, level=level.upper())
    for chatty in ("rq.worker", "rq.job", "rq.queue", "httpx", "httpcore", "PIL"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
