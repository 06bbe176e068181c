"""Ways to get tool calls out of a model.

A strategy is a generator of effects: it yields what it needs (``Ask``, ``READ``) and what it says (events), and
is sent the pieces of the answer, so that it is tested with canned answers and no I/O.
"""
