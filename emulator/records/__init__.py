"""Where programs are kept between two rounds: SQLite by default, Redis or PostgreSQL where replicas share them."""
