"""`graphbuilder layers`."""
NAME = "layers"
EPILOG = ""
def command() -> int:
    """TODO"""
    return 1
