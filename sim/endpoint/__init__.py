"""What stands between gateways and portal: the port, and one file an endpoint in kinds/."""
