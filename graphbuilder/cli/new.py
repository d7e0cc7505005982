"""`graphbuilder new`."""
NAME = "new"
EPILOG = ""
def command() -> int:
    """TODO"""
    return 1
