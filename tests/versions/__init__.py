"""The tests of what reaches into a library, against the versions of it that pip may choose."""
