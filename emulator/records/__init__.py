"""What outlives a request, programs and counts: in SQLite by default, Redis or PostgreSQL where replicas share them."""
