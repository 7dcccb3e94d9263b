"""`python3 -m aistack_build`: has componentize-py in the user's cache, for machines that build without a network later."""

import sys

from .tools import componentize_py

print(componentize_py(lambda line: print(line, file=sys.stderr)))
