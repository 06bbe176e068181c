"""The formats other than Python in which models were trained to call tools; table.py has their order."""
