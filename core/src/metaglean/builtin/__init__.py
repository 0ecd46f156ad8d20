"""Built-in plugins. They use the public hooks and names, and nobody imports them."""
