"""`python -m txfuzz` is `txfuzz`."""

from txfuzz.cli import main

if __name__ == "__main__":
    main()
