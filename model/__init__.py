"""The studio: the style-transfer engine. It knows neither Redis nor HTTP."""

import os

from model.processor import instructions

# Before any module here imports TensorFlow: what matters reaches us as exceptions.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# By itself TensorFlow multiplies through oneDNN only on processors with instructions for neural
# networks. With AVX2 alone its products are twice as fast too (docs/performance.md).
if "avx2" in instructions():
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
