"""The endpoints, thin: each validates, calls one thing of ``worker.jobs`` and answers."""
