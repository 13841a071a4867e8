from . import few_shot_counts as few_shot_counts
from . import inventory as inventory
from . import manifest as manifest
from . import new_study as new_study
from . import study as study
from . import token_counts as token_counts
from . import tokenizers as tokenizers
