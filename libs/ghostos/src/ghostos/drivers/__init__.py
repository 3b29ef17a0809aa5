"""Drivers: one vendor or medium per module, behind the ports of `ghostos.contracts`."""
