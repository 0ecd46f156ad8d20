"""Sink `metadata-rest`: writes to an OpenMetadata server, 1.1 to 2.x, over REST."""
