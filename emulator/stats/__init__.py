"""What became of requests, counted: in the background, in the store, over all processes and restarts."""
