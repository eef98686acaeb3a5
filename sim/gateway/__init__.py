"""Gateways: keyless forwarders. They keep every bundle until the portal says that it is committed."""
