"""What a plugin's own code needs: faults, the host, forms, requests. Nothing here reaches outside.

The types of the contract are those of `wit_world`, which componentize-py makes from the WIT; `aistack_sdk.identity`,
`.payment` and `.report` pass on the ones of their world.
"""

from .faults import Fault
from .host import Credential, Host
from .wire import form, header, parse_form, query_of, request, response, with_query

__all__ = [
    "Credential",
    "Fault",
    "Host",
    "form",
    "header",
    "parse_form",
    "query_of",
    "request",
    "response",
    "with_query",
]
