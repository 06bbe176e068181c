"""``python -m tests.styles --seed 1 > styles.jsonl``"""

import sys

from tests.styles.render import main

sys.exit(main(sys.argv[1:]))
