from . import planning as planning
from . import reporting as reporting
from . import steps as steps
from . import tables as tables
