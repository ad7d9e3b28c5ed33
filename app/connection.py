"""Connections whose other end takes nothing are cut, so that nothing is kept for it."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

#: A reader who takes not one byte for so long is gone, or would like to keep us busy.
STUCK_SECONDS = 10.0


class ImpatientProtocol(H11Protocol):
    """uvicorn's protocol, which by itself waits as long as TCP does: for ever.

    What is on its way to a reader is bounded already: the transport stops the response when its
    buffer is full, and says so here.
    """

    _watch: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """The buffer is full."""
        super().pause_writing()
        self._look_again()

    def resume_writing(self) -> None:
        """The buffer is nearly empty, or the connection lost."""
        super().resume_writing()
        self._forget()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._forget()
        super().connection_lost(exc)

    def _look_again(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._watch = self.loop.call_later(STUCK_SECONDS, self._cut_if_stuck, left)

    def _cut_if_stuck(self, left: int) -> None:
        if self.transport.get_write_buffer_size() < left:
            self._look_again()
        else:
            self.transport.abort()

    def _forget(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
