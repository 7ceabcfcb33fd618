"""The terminal app: an adaptation log, followed live or read afterwards."""
