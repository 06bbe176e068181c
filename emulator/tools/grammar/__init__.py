"""Grammars of valid answers, made of tools: forms (of the schemas) → rules → the text that each model server reads.

Rule: what a grammar can't say it says more loosely, never more tightly.  Names and values of the client's stand only in
``Literal``s, which every renderer escapes; rules have names made here.
"""
