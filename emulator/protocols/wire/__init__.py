"""What goes over the wire, as types: the server's OpenAPI document is made of them, and nothing else.

Rule: a field has a type here if the server looks into it; what is only passed on, or given back, is ``Passed``.
Further fields are allowed everywhere.
"""
