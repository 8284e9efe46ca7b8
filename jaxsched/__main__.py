"""`python -m jaxsched` is the command `jaxsched`."""

from jaxsched.cli import main

main()
