from . import steps as steps
from . import trial as trial
from . import worker as worker
