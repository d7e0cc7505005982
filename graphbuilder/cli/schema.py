"""`graphbuilder schema`."""
NAME = "schema"
EPILOG = ""
def command() -> int:
    """TODO"""
    return 1
