from . import analyse_study as analyse_study
from . import reporting as reporting
from . import tables as tables
