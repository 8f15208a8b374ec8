"""Cryptosuites: how a document and its proof options become the bytes that are signed."""
