"""Certificates: authority makes a root, device certificates and revocation lists."""
