"""`graphbuilder show`."""
NAME = "show"
EPILOG = ""
def command() -> int:
    """TODO"""
    return 1
