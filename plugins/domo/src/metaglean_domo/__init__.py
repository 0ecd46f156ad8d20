"""Domo for Metaglean."""
