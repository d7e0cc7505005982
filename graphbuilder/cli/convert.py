"""`graphbuilder convert`."""
NAME = "convert"
EPILOG = ""
def command() -> int:
    """TODO"""
    return 1
