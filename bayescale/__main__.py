"""The command line by ``python -m bayescale``."""

from bayescale.cli import app

if __name__ == "__main__":
    app()
