from . import inventory as inventory
from . import manifest as manifest
from . import new_study as new_study
from . import study as study
from . import token_view as token_view
from . import tokenizers as tokenizers
