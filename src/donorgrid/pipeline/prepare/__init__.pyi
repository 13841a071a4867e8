from . import few_shot_counts as few_shot_counts
from . import inventory as inventory
from . import manifest as manifest
from . import steps as steps
from . import token_counts as token_counts
