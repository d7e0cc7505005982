"""Compression without TensorFlow: passes as typed options, what can be done to which layer, plans, sizes, reports."""
