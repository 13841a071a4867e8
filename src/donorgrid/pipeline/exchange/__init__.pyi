from . import export_results as export_results
from . import export_run as export_run
from . import export_scaled as export_scaled
from . import import_results as import_results
from . import select_run as select_run
