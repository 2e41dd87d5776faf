"""The programs that are compared, one module each, run as ``python -m``."""
