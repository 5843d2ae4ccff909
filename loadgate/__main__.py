"""`python -m loadgate` is `loadgate`."""

from loadgate.commands import main

main()
