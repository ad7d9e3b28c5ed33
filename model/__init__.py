"""The studio: the style-transfer engine. It knows neither Redis nor HTTP."""

import os

# Before any module here imports TensorFlow: what matters reaches us as exceptions.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
