from . import options as options
from . import progress as progress
from . import run_study as run_study
from . import worker as worker
