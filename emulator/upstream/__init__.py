"""The model server: the client that asks it, and the small model that is run where there is none."""
